/** Whether the reason of a failed connection is a certificate that is not trusted. @param why with the code of Node or OpenSSL in it */
export function isUntrusted(why: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS/.test(why);
}

/** Whether somebody answered a TLS handshake in another language, as a server does that speaks HTTP only. */
export function speaksNoTls(why: string): boolean {
  return /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/.test(why);
}

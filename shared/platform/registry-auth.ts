/**
 * How the public registry asks for a password: an annotation of its Ingress names Traefik's middleware. The installer
 * takes it away while it pushes images and puts it back at its end, but not when it is killed.
 */
export const registryAuth = {
  namespace: 'registry',
  name: 'registry',
  annotation: 'traefik.ingress.kubernetes.io/router.middlewares',
  value: 'registry-admin-auth@file',
} as const;

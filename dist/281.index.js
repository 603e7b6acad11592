export const id = 281;
export const ids = [281];
export const modules = {

/***/ 25281:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   DefaultArtifactClient: () => (/* reexport safe */ _actions_artifact__WEBPACK_IMPORTED_MODULE_0__.t9),
/* harmony export */   saveCache: () => (/* reexport safe */ _actions_cache__WEBPACK_IMPORTED_MODULE_1__.Io)
/* harmony export */ });
/* harmony import */ var _actions_artifact__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(37888);
/* harmony import */ var _actions_cache__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(60142);
// One module for both clients, so that the bundle holds what they share once, in one chunk that is loaded when needed.




/***/ })

};

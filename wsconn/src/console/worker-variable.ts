/**
 * Variable that has the number of a worker of `serve --workers`. It is no option, so its name does
 * not begin as theirs do.
 */
export const WORKER_VARIABLE = '_WSCONN_WORKER';

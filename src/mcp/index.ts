export { ROW_LIMITS_DEFAULT } from './read-rows.js';
export { serveHttp } from './serve-http.js';
export { serveStdio } from './serve-stdio.js';

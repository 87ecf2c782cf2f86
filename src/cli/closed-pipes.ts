/**
 * Ends the process quietly once nobody reads its output any more, as in `vkit policy list | head -1`, with the exit code
 * that stands until then. Where nobody reads stderr, there is nobody to tell, and the command goes on.
 */
export function installClosedPipes(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

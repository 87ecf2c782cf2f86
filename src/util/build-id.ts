/** Put in by the build; absent where the sources run as they are. */
declare const BUILD_ID: string | undefined;

/** What tells this build from every other one; `undefined` for sources that were not built. */
export function buildId(): string | undefined {
  return typeof BUILD_ID === 'undefined' ? undefined : BUILD_ID;
}

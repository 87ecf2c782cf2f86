/** A URL without user, password, options and fragment: for people and logs. */
export function describeUrl(url: string): string {
  if (!URL.canParse(url)) return 'an invalid URL';
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host || 'localhost'}${pathname}`;
}

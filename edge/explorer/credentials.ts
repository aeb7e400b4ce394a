/**
 * What the page works with: an API key and a card token. Both live in this tab's sessionStorage and nowhere else:
 * gone with the tab, unknown to other tabs, never in an address that is sent. An empty string is "none".
 */
export type Credentials = { readonly key: string; readonly token: string };

const NONE: Credentials = { key: "", token: "" };
const PREFIX = "tessera.explorer.";

/**
 * `npm start` hands the demo key and a test card's token over in the link's fragment, `#key=sk_…&token=tok_…`:
 * browsers send fragments to no server, and name them in no referrer.
 * @returns null if the fragment hands nothing over
 */
export function readFragment(fragment: string): Partial<Credentials> | null {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const [key, token] = [given.get("key"), given.get("token")];
  if (key === null && token === null) return null;
  return { ...(key === null ? {} : { key: key.trim() }), ...(token === null ? {} : { token: token.trim() }) };
}

export function loadCredentials(storage: Storage): Credentials {
  return { key: storage.getItem(`${PREFIX}key`) ?? "", token: storage.getItem(`${PREFIX}token`) ?? "" };
}

export function saveCredentials(storage: Storage, credentials: Credentials): void {
  for (const name of ["key", "token"] as const) {
    if (credentials[name] === "") storage.removeItem(`${PREFIX}${name}`);
    else storage.setItem(`${PREFIX}${name}`, credentials[name]);
  }
}

/** Takes what the fragment hands over, puts it into the tab's storage, and takes it out of the address bar. */
export function takeOver(page: Pick<Window, "location" | "history" | "sessionStorage">): Credentials {
  const { location, history, sessionStorage } = page;
  const given = readFragment(location.hash);
  if (given === null) return { ...NONE, ...loadCredentials(sessionStorage) };
  // A key that comes without a token is another account's, perhaps; the old token would not be that one's.
  const credentials = {
    ...NONE,
    ...(given.key === undefined ? loadCredentials(sessionStorage) : {}),
    ...given,
  };
  saveCredentials(sessionStorage, credentials);
  history.replaceState(history.state, "", location.pathname + location.search);
  return credentials;
}

import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { type Account, accountOf } from "./account.ts";
import { type Credentials, saveCredentials, takeOver } from "./credentials.ts";
import { Header } from "./header.tsx";

/** GraphiQL and its editor are most of the page: the header is there, and usable, while they load. */
const Workbench = lazy(() => import("./workbench.tsx"));

/** The page: a header for the credentials, what is wrong with them if something is, and GraphiQL. */
export function Explorer({ initial }: { readonly initial: Credentials }) {
  const [credentials, setCredentials] = useState(initial);
  const [account, askAgain] = useAccount(credentials.key);

  const change = useCallback((changed: Credentials) => {
    saveCredentials(sessionStorage, changed);
    setCredentials(changed);
  }, []);

  // The launcher's link, opened in a tab that shows this page already, changes the fragment only.
  useEffect(() => {
    const take = () => setCredentials(takeOver(window));
    addEventListener("hashchange", take);
    return () => removeEventListener("hashchange", take);
  }, []);

  return (
    <>
      <Header credentials={credentials} account={account} onChange={change} />
      <Notice account={account} />
      <main>
        <Suspense fallback={<p className="loading">Loading the editor…</p>}>
          <Workbench credentials={credentials} onRefused={askAgain} />
        </Suspense>
      </main>
    </>
  );
}

/** Whose key it is, asked for when the key changes and when `askAgain` is called. */
function useAccount(key: string): readonly [account: Account, askAgain: () => void] {
  const [account, setAccount] = useState<Account>({ kind: "no_key" });
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    let current = true;
    setAccount(key === "" ? { kind: "no_key" } : { kind: "asking" });
    void accountOf(key).then((found) => {
      if (current) setAccount(found);
    });
    return () => {
      current = false;
    };
  }, [key, asked]);
  return [account, useCallback(() => setAsked((times) => times + 1), [])];
}

function Notice({ account }: { readonly account: Account }) {
  if (account.kind === "no_key")
    return (
      <p className="notice" role="status">
        Paste a secret key (sk_…) to begin. <code>npm start</code> prints a link to this page that brings one
        along.
      </p>
    );
  if (account.kind === "refused" || account.kind === "unreachable")
    return (
      <p className="notice bad" role="alert">
        {account.why}
      </p>
    );
  return null;
}

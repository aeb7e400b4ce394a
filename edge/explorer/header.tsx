import { type FormEvent, useEffect, useState } from "react";
import type { Account } from "./account.ts";
import type { Credentials } from "./credentials.ts";

type HeaderProps = {
  readonly credentials: Credentials;
  readonly account: Account;
  readonly onChange: (credentials: Credentials) => void;
};

/** The page's name, whose account it shows, and the two fields. */
export function Header({ credentials, account, onChange }: HeaderProps) {
  return (
    <header>
      <h1>
        <Mark />
        Tessera <span>API explorer</span>
      </h1>
      <AccountState account={account} />
      <Field
        label="Secret key"
        hint="Kept in this tab only, and sent to this address only."
        placeholder="sk_…"
        secret
        value={credentials.key}
        onCommit={(key) => onChange({ ...credentials, key })}
      />
      <Field
        label="Card token"
        hint="What {{cardToken}} stands for in variables."
        placeholder="tok_…"
        value={credentials.token}
        onCommit={(token) => onChange({ ...credentials, token })}
      />
    </header>
  );
}

function AccountState({ account }: { readonly account: Account }) {
  const words = {
    no_key: "No key",
    asking: "Checking the key…",
    known: account.kind === "known" ? account.name : "",
    refused: "Key not accepted",
    unreachable: "No answer",
  }[account.kind];
  return (
    <span
      className="account"
      data-kind={account.kind}
      title={account.kind === "known" ? account.id : undefined}
      aria-live="polite"
    >
      {words}
    </span>
  );
}

type FieldProps = {
  readonly label: string;
  readonly hint: string;
  readonly placeholder: string;
  readonly secret?: boolean;
  readonly value: string;
  readonly onCommit: (value: string) => void;
};

/** Takes effect when it is left, on Enter, and at once when pasted into: half a key is not worth a request. */
function Field({ label, hint, placeholder, secret = false, value, onCommit }: FieldProps) {
  const [draft, setDraft] = useState(value);
  useEffect(() => setDraft(value), [value]);
  const commit = (text: string) => {
    setDraft(text.trim());
    if (text.trim() !== value) onCommit(text.trim());
  };
  return (
    <form
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        commit(draft);
      }}
    >
      <label title={hint}>
        <span>{label}</span>
        <input
          type={secret ? "password" : "text"}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          // Password managers are not to keep it: it is no password of this site.
          data-1p-ignore
          data-lpignore="true"
          data-bwignore
          placeholder={placeholder}
          value={draft}
          onChange={({ target, nativeEvent }) => {
            setDraft(target.value);
            if ((nativeEvent as InputEvent).inputType === "insertFromPaste") commit(target.value);
          }}
          onBlur={() => commit(draft)}
        />
      </label>
    </form>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#4338ca" />
      <g fill="#fff">
        <rect x="7" y="7" width="8" height="8" rx="1.5" />
        <rect x="17" y="7" width="8" height="8" rx="1.5" fillOpacity=".65" />
        <rect x="7" y="17" width="8" height="8" rx="1.5" fillOpacity=".65" />
        <rect x="17" y="17" width="8" height="8" rx="1.5" fillOpacity=".35" />
      </g>
    </svg>
  );
}

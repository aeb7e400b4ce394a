// The three packages' styles by themselves: graphiql/style.css would bring Monaco's a second time, and half a
// megabyte of fonts.
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "graphiql/graphiql.css";
import "graphiql/setup-workers/vite";
import "./workbench.css";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { useEffect, useMemo, useRef, useState } from "react";
import type { Credentials } from "./credentials.ts";
import { EXAMPLES } from "./examples.ts";
import { EXAMPLES_PLUGIN } from "./examples-plugin.tsx";
import { FilledInList } from "./filled-in.tsx";
import type { FilledIn } from "./placeholders.ts";
import { createRunner } from "./runner.ts";

type WorkbenchProps = { readonly credentials: Credentials; readonly onRefused: () => void };

/** Whenever these change, GraphiQL opens its visible plugin anew: so they never do. */
const PLUGINS = [EXAMPLES_PLUGIN, HISTORY_PLUGIN];
const FIRST_TABS = EXAMPLES.slice(0, 1).map(({ query, variables }) => ({ query, variables }));

/** GraphiQL with our examples. Its key is the page's: an editor for headers would be a second place for one. */
export default function Workbench({ credentials: { key, token }, onRefused }: WorkbenchProps) {
  const [filledIn, setFilledIn] = useState<readonly FilledIn[]>([]);
  const latestToken = useRef(token);
  useEffect(() => {
    latestToken.current = token;
  }, [token]);

  // Another fetcher makes GraphiQL fetch the schema again: so there is one for each key, and none for each token.
  const fetcher = useMemo(() => {
    const run = createRunner({
      key,
      token: () => latestToken.current,
      onFilledIn: setFilledIn,
      onRefused,
    });
    return ({ query, variables, operationName }: Parameters<typeof run>[0]) =>
      run({ query, variables, operationName }) as Promise<never>;
  }, [key, onRefused]);

  return (
    <GraphiQL
      fetcher={fetcher}
      // Without a key there is nobody to ask for the schema.
      {...(key === "" ? { schema: null } : {})}
      plugins={PLUGINS}
      visiblePlugin={EXAMPLES_PLUGIN}
      defaultTabs={FIRST_TABS}
      defaultEditorToolsVisibility="variables"
      isHeadersEditorEnabled={false}
      shouldPersistHeaders={false}
    >
      <GraphiQL.Logo>
        <></>
      </GraphiQL.Logo>
      {filledIn.length > 0 && (
        <GraphiQL.Footer>
          <FilledInList filledIn={filledIn} />
        </GraphiQL.Footer>
      )}
    </GraphiQL>
  );
}

import { type GraphiQLPlugin, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { EXAMPLES, type Example } from "./examples.ts";
import { PLACEHOLDERS } from "./placeholders.ts";

/** The list of examples, in GraphiQL's side bar. */
export const EXAMPLES_PLUGIN: GraphiQLPlugin = {
  title: "Examples",
  icon: () => (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.6" aria-hidden="true">
      <path d="M8 4.5h11.5M8 12h11.5M8 19.5h11.5" strokeLinecap="round" />
      <path
        d="M3.5 2.8v3.4l2.6-1.7zM3.5 10.3v3.4l2.6-1.7zM3.5 17.8v3.4l2.6-1.7z"
        fill="currentColor"
        stroke="none"
      />
    </svg>
  ),
  content: Examples,
};

function Examples() {
  const open = useOpenExample();
  const active = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.title);
  return (
    <section className="examples">
      <h2>Examples</h2>
      <p>Choose one, then run it with Ctrl-Enter. Each runs as it is, as often as you like.</p>
      <ol>
        {EXAMPLES.map((example) => (
          <li key={example.name}>
            <button
              type="button"
              aria-current={example.operation === active}
              onClick={() => open(example)}
              data-example={example.name}
            >
              <strong>{example.title}</strong>
              <span className="kind" data-kind={example.kind}>
                {example.kind}
              </span>
              <span className="about">{example.about}</span>
            </button>
          </li>
        ))}
      </ol>
      <h3>Placeholders</h3>
      <p>
        Variables may say these. They are filled in when you run the operation, and shown below its answer.
      </p>
      <dl>
        {Object.entries(PLACEHOLDERS).map(([name, meaning]) => (
          <div key={name}>
            <dt>{`{{${name}}}`}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** Opens an example in a tab of its own, or goes to its tab, as it was left, if it has one. */
function useOpenExample(): (example: Example) => void {
  const { addTab, changeTab, updateActiveTabValues } = useGraphiQLActions();
  const { tabs, activeTabIndex, queryEditor, variableEditor } = useGraphiQL(
    ({ tabs, activeTabIndex, queryEditor, variableEditor }) => ({
      tabs,
      activeTabIndex,
      queryEditor,
      variableEditor,
    }),
  );
  return ({ operation, query, variables }) => {
    const at = tabs.findIndex(({ title }) => title === operation);
    if (at === activeTabIndex) return;
    if (at >= 0) return changeTab(at);
    const isUnused = (tabs[activeTabIndex]?.query ?? "").trim() === "";
    if (!isUnused) addTab();
    // The tab first, then the editors: they tell the tab a moment later, when another one may be open already.
    updateActiveTabValues({ query, variables, operationName: operation, response: null });
    queryEditor?.setValue(query);
    variableEditor?.setValue(variables);
  };
}

/** The look of the ACS's pages: from 250 by 400 pixels to the whole screen, light and dark. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #14202b; --paper: #fff; --line: #8a97a3; --accent: #0b57a4; --alarm: #a4140b; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8edf2; --paper: #12181e; --line: #7d8b98; --accent: #8ec1f5; --alarm: #ff9d94; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.4 system-ui, sans-serif; }
main { max-width: 26rem; margin: 0 auto; padding: 12px 16px; }
header { display: flex; justify-content: space-between; border-bottom: 1px solid var(--line); margin-bottom: 10px; }
header p { margin: 0 0 6px; font-weight: 600; }
.scheme { text-transform: capitalize; font-weight: 400; }
h1 { font-size: 1.15rem; margin: 0 0 6px; }
p { margin: 0 0 8px; }
dl { margin: 0 0 10px; }
dl div { display: flex; justify-content: space-between; gap: 12px; }
dt { opacity: 0.8; }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
label { display: block; font-weight: 600; margin-bottom: 2px; }
input[type="text"] { width: 100%; font: inherit; font-size: 1.1rem; padding: 8px; border: 1px solid var(--line);
  border-radius: 6px; background: transparent; color: inherit; }
input[aria-invalid="true"] { border-color: var(--alarm); }
#hint { font-size: 0.85rem; margin: 4px 0 8px; }
#problem { color: var(--alarm); font-weight: 600; }
.buttons { display: flex; flex-wrap: wrap; gap: 8px; }
button { font: inherit; min-height: 44px; flex: 1 1 6rem; border-radius: 6px; border: 1px solid var(--accent);
  background: var(--accent); color: var(--paper); cursor: pointer; }
button.quiet { background: transparent; color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
@media (max-height: 420px), (max-width: 300px) {
  body { font-size: 13px; line-height: 1.3; }
  main { padding: 8px 10px; }
  dl { display: none; }
}
`;

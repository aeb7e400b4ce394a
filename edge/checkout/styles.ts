/**
 * The checkout's look, as a constructed style sheet inside a shadow root: a merchant's content policy needs no
 * 'unsafe-inline' for it, and neither side's styles reach the other. Colours are those of the card page.
 */
export const STYLES = `
:host { display: block; color-scheme: light; }
* { box-sizing: border-box; }
.card {
  max-width: 440px; margin: 0 auto; padding: 28px 24px 22px; border: 1px solid #e4e7f0; border-radius: 18px;
  background: #fff; color: #16192b; box-shadow: 0 1px 2px rgb(22 25 43 / 6%), 0 12px 32px -12px rgb(22 25 43 / 18%);
  font: 400 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
.merchant { margin: 0; font-size: 15px; color: #565c74; overflow-wrap: anywhere; }
.amount {
  margin: 2px 0 20px; font-size: 32px; font-weight: 680; letter-spacing: -.02em; line-height: 1.2;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
.amount:focus { outline: none; }
iframe { display: block; width: calc(100% + 8px); height: 174px; margin: 0 -4px; border: 0; }
.status { font-size: 15px; overflow-wrap: anywhere; }
.status:not(:empty) { margin-top: 14px; padding: 11px 14px; border-radius: 10px; background: #f1f3f9; color: #3d4257; }
.status[data-tone="bad"]:not(:empty) { background: #fdeef0; color: #97182c; }
.time { margin: 10px 2px 0; font-size: 15px; color: #3d4257; font-variant-numeric: tabular-nums; }
button {
  display: flex; align-items: center; justify-content: center; gap: 10px; width: 100%; min-height: 50px; margin-top: 16px;
  padding: 10px 16px; border: 0; border-radius: 12px; background: #4338ca; color: #fff; font: inherit; font-weight: 620;
  font-variant-numeric: tabular-nums; cursor: pointer; transition: background-color .12s;
}
button:hover { background: #372fb0; }
button:focus-visible { outline: 3px solid #4338ca; outline-offset: 3px; }
button[aria-disabled="true"] { background: #5f5a9c; cursor: default; }
.spinner {
  width: 17px; height: 17px; border: 2px solid rgb(255 255 255 / 40%); border-top-color: #fff; border-radius: 50%;
  animation: turn .8s linear infinite;
}
.safe { display: flex; align-items: center; justify-content: center; gap: 7px; margin: 14px 0 0; font-size: 13px; color: #565c74; }
.safe svg { flex: none; }
.done { text-align: center; }
.tick {
  display: grid; place-items: center; width: 56px; height: 56px; margin: 0 auto 14px; border-radius: 50%;
  background: #e3f5ec; color: #12764a;
}
.done .amount { margin: 0 0 4px; font-size: 24px; }
[hidden] { display: none; }
@keyframes turn { to { transform: rotate(1turn); } }
@media (max-width: 380px) {
  .card { padding: 22px 16px 18px; border-radius: 14px; }
  .amount { font-size: 28px; }
}
@media (prefers-reduced-motion: reduce) {
  .spinner { animation-duration: 2.4s; }
  button { transition: none; }
}
`;

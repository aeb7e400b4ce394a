/**
 * The challenge's dialog, in the checkout's shadow root: as large as the issuer's page wants it, and a whole-screen
 * sheet where there is little room.
 */
export const CHALLENGE_STYLES = `
dialog {
  position: fixed; inset: 0; margin: auto; padding: 20px 20px 16px; border: 1px solid #c3c8d8; border-radius: 18px;
  width: calc(var(--issuer-width, 500px) + 44px); max-width: calc(100vw - 32px); height: fit-content; max-height: calc(100vh - 32px);
  max-height: calc(100dvh - 32px); overflow: auto; overscroll-behavior: contain; background: #fff; color: #16192b;
  font: 400 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; text-align: start;
  box-shadow: 0 24px 64px -12px rgb(22 25 43 / 45%);
}
dialog[open] { display: flex; flex-direction: column; gap: 12px; animation: appear .16s ease-out; }
dialog::backdrop { background: rgb(22 25 43 / 60%); }
dialog h2 { margin: 0; font-size: 20px; font-weight: 660; line-height: 1.25; letter-spacing: -.01em; }
dialog h2:focus { outline: none; }
dialog p { margin: 0; font-size: 15px; color: #3d4257; overflow-wrap: anywhere; }
dialog h2 + p { margin-top: 4px; }
.issuer {
  flex: 0 1 auto; display: flex; height: calc(var(--issuer-height, 0px) + 2px); min-height: 0; border: 1px solid #e4e7f0; border-radius: 10px;
  overflow: hidden; background: #fff;
}
.issuer iframe { flex: 1; width: 100%; height: auto; margin: 0; }
.issuer:focus-within { outline: 2px solid #4338ca; outline-offset: 1px; }
dialog .status { margin: 0; }
dialog .status:empty { margin-top: -12px; }
.choices { display: flex; flex-wrap: wrap; gap: 8px; }
.choices button { flex: 1 1 9em; width: auto; min-height: 46px; margin: 0; }
.question { display: grid; gap: 10px; }
[hidden] { display: none !important; }
button.quiet { background: transparent; color: #3730a3; box-shadow: inset 0 0 0 1px #8d93ab; }
button.quiet:hover { background: #f1f3f9; }
@keyframes appear { from { opacity: 0; transform: translateY(8px); } }
@media (max-width: 480px), (max-height: 520px) {
  dialog {
    width: 100vw; max-width: 100vw; height: 100vh; max-height: 100vh; height: 100dvh; max-height: 100dvh; border: 0;
    border-radius: 0; padding: 14px 12px 12px;
  }
  dialog[open] { gap: 10px; }
  .issuer { flex: 1 1 200px; }
  dialog h2 { font-size: 18px; }
}
@media (max-height: 420px) {
  #bank-about { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .choices button { min-height: 40px; padding: 6px 12px; }
}
@media (prefers-reduced-motion: reduce) { dialog[open] { animation: none; } }
`;

const TYPES = ["keydown", "keypress", "keyup", "focus", "focusin", "focusout", "blur"] as const;

/**
 * Keeps what happens in a modal dialog from the scripts of the page around it, until the signal: many pages catch the
 * focus, or the Tab and Escape keys, for a dialog of their own, and would fight for them. The browser still does what
 * it does on those events; nobody else hears of them, so the dialog listens to clicks only.
 */
export function keepApartFromPage(dialog: Element, signal: AbortSignal): void {
  // On the window and capturing is before all others, but for a listener of the same kind that was there earlier.
  for (const type of TYPES) {
    const keep = (event: Event) => {
      const path = event.composedPath();
      // Between the last element of the dialog and the first, nothing has the focus, which is told as the body's.
      const nowhere = path[0] === document.body || path[0] === document.documentElement;
      if (nowhere || path.includes(dialog)) event.stopImmediatePropagation();
    };
    window.addEventListener(type, keep, { capture: true, signal });
  }
}

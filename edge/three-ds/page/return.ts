import { RETURNED } from "../protocol.ts";

/** The return page. Addressed to our own origin: whoever else frames it hears nothing. */
if (window.parent !== window) window.parent.postMessage(RETURNED, location.origin);

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { takeOver } from "./credentials.ts";
import { Explorer } from "./explorer.tsx";
import "./shell.css";

// Before anything else runs: the key leaves the address bar before another script could see it there.
const credentials = takeOver(window);
const root = document.getElementById("explorer");
if (root === null) throw new Error("index.html has no #explorer");
createRoot(root).render(
  <StrictMode>
    <Explorer initial={credentials} />
  </StrictMode>,
);

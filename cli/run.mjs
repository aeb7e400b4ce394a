// `node cli/run.mjs <command> [args]`: everything that `npm run …` does starts here. It needs no dependency and
// runs on the Node that the machine has; the commands themselves run under the Node 24 of node_modules.
// This file keeps to old syntax, so that an old Node gets as far as the message.

var oldest = 20;

if (Number(process.versions.node.split(".")[0]) < oldest) {
  console.error(
    "Tessera needs Node " +
      oldest +
      " or newer to start; this is Node " +
      process.versions.node +
      ".\nInstall one from https://nodejs.org or your distribution, then run the same command again.",
  );
  process.exit(1);
}

import("./bootstrap.mjs")
  .then(function (bootstrap) {
    return bootstrap.main(process.argv.slice(2));
  })
  .then(
    function (code) {
      process.exit(code);
    },
    function (error) {
      console.error(error);
      process.exit(1);
    },
  );

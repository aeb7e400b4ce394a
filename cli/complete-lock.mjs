/**
 * npm writes an optional package into the lock file only if the registry it asked carries it, and some
 * registries carry no packages for other platforms. Such a lock file works there, and nowhere else:
 * where the package exists, `npm ci` refuses ("Missing: … from lock file"). This adds what was left out, from the names:
 * platform packages are called after their platform. An added entry has no integrity; the next `npm run lock`
 * against a full registry fills it in.
 */

const OS = {
  darwin: "darwin",
  win32: "win32",
  windows: "win32",
  linux: "linux",
  android: "android",
  freebsd: "freebsd",
  netbsd: "netbsd",
  openbsd: "openbsd",
  openharmony: "openharmony",
  sunos: "sunos",
  aix: "aix",
};

const CPU = {
  64: "x64",
  x64: "x64",
  arm64: "arm64",
  arm: "arm",
  ia32: "ia32",
  ppc64: "ppc64",
  s390x: "s390x",
  riscv64: "riscv64",
  loong64: "loong64",
  mips64el: "mips64el",
  wasm32: "wasm32",
};

const LIBC = {
  gnu: "glibc",
  gnueabihf: "glibc",
  musl: "musl",
  musleabihf: "musl",
};

/**
 * @param {string} name such as "@oxlint/binding-linux-arm-musleabihf"
 * @returns {{ os?: string[], cpu?: string[], libc?: string[] } | null} the platform that the last part of the
 *   name names; null if it names none
 */
export function platformOf(name) {
  const words = name.slice(name.indexOf("/") + 1).split("-");
  const find = (table) => words.filter((word) => Object.hasOwn(table, word)).map((word) => table[word])[0];
  const [os, cpu, libc] = [find(OS), find(CPU), find(LIBC)];
  if (cpu === undefined || (os === undefined && cpu !== "wasm32")) return null;
  return {
    ...(os === undefined ? {} : { os: [os] }),
    cpu: [cpu],
    ...(os === "linux" && libc !== undefined ? { libc: [libc] } : {}),
  };
}

/** The folders in which Node looks for what the package at `path` requires, nearest first. */
function* lookupFolders(path) {
  if (path !== "") yield `${path}/node_modules`;
  let at = path;
  while (at !== "") {
    const cut = at.lastIndexOf("node_modules");
    yield at.slice(0, cut) + "node_modules";
    at = at.slice(0, Math.max(cut - 1, 0));
  }
  if (path === "") yield "node_modules";
}

/** Where an optional dependency has to be added, or null if the one that would be found fits. */
function placeFor(packages, path, name, version) {
  const folders = [...lookupFolders(path)];
  const found = folders.map((folder) => packages[`${folder}/${name}`]).find((entry) => entry !== undefined);
  if (found === undefined) return `node_modules/${name}`;
  // A range may be satisfied by more than its own version; an exact version, as platform packages have, not.
  if (/^\d/.test(version) && found.version !== version) return `${folders[0]}/${name}`;
  return null;
}

/**
 * Adds every optional dependency that the lock file (version 3) names but does not describe. Changes `lock`.
 *
 * @param {{ packages: Record<string, any> }} lock
 * @returns {readonly string[]} the names that were added
 * @throws if a name does not tell its platform
 */
export function completeLock(lock) {
  const { packages } = lock;
  const added = [];
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      const place = placeFor(packages, path, name, range);
      if (place === null) continue;
      const platform = platformOf(name);
      if (platform === null)
        throw new Error(`${name} is missing from the lock file, and its name tells no platform`);
      packages[place] = {
        version: range.replace(/^[\^~]/, ""),
        cpu: platform.cpu,
        ...(entry.dev ? { dev: true } : {}),
        ...(entry.devOptional ? { devOptional: true } : {}),
        ...(platform.libc ? { libc: platform.libc } : {}),
        optional: true,
        ...(platform.os ? { os: platform.os } : {}),
      };
      added.push(name);
    }
  }
  // npm sorts its lock files by this comparison, so the next `npm install` leaves the order alone.
  lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, "en")));
  return added;
}

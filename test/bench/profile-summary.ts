/**
 * Who spends a process's time, from a CPU profile as V8 makes it (Chrome DevTools Protocol, Profiler.Profile). Shares
 * are of the time that the process was not idle.
 */
export type CpuProfile = {
  readonly nodes: readonly ProfileNode[];
  /** Ids of the nodes that were on top, and the microseconds before each. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

type ProfileNode = {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
};

export type Share = { readonly name: string; readonly share: number };

export type ProfileSummary = {
  readonly busyMs: number;
  /** Own time by package, by part of Node and by folder of ours. */
  readonly groups: readonly Share[];
  /** Own time by function. */
  readonly functions: readonly Share[];
  /** Time of our own functions together with all that they call, packages included; nearest one counts. */
  readonly callers: readonly Share[];
};

const IDLE = "(idle)";
const LISTED = 25;

/** @param root the project's folder: what lies under it, outside node_modules, is ours */
export function summarizeProfile(profile: CpuProfile, root: string): ProfileSummary {
  const selfMs = selfTimes(profile);
  const groups = new Map<string, number>();
  const functions = new Map<string, number>();
  const callers = new Map<string, number>();
  const add = (to: Map<string, number>, name: string, ms: number) => to.set(name, (to.get(name) ?? 0) + ms);
  const parents = parentsOf(profile);
  let busyMs = 0;
  for (const node of profile.nodes) {
    const ms = selfMs.get(node.id) ?? 0;
    if (ms === 0 || node.callFrame.functionName === IDLE) continue;
    busyMs += ms;
    const group = groupOf(node, root);
    add(groups, group, ms);
    add(functions, `${node.callFrame.functionName || "(anonymous)"}  ${group}${lineOf(node)}`, ms);
    add(callers, nearestOwn(node, parents, root), ms);
  }
  const ranked = (from: Map<string, number>) =>
    [...from]
      .map(([name, ms]) => ({ name, share: ms / busyMs }))
      .toSorted((a, b) => b.share - a.share)
      .slice(0, LISTED);
  return { busyMs, groups: ranked(groups), functions: ranked(functions), callers: ranked(callers) };
}

function selfTimes({ samples, timeDeltas }: CpuProfile): Map<number, number> {
  const selfMs = new Map<number, number>();
  for (const [at, id] of samples.entries()) {
    // A sample's delta is the time since the one before it: what was on top then ran during it.
    const ms = (timeDeltas[at + 1] ?? 0) / 1_000;
    selfMs.set(id, (selfMs.get(id) ?? 0) + ms);
  }
  return selfMs;
}

function parentsOf({ nodes }: CpuProfile): Map<number, ProfileNode> {
  const parents = new Map<number, ProfileNode>();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node);
  return parents;
}

function groupOf({ callFrame: { url, functionName } }: ProfileNode, root: string): string {
  if (url === "") return functionName.startsWith("(") ? functionName : "native";
  const npm = /node_modules\/((?:@[^/]+\/)?[^/]+)\//g;
  const packages = [...url.matchAll(npm)];
  if (packages.length > 0) return `npm ${packages.at(-1)?.[1]}`;
  if (url.startsWith("node:")) return url.split("/").slice(0, 2).join("/");
  const own = ownPath(url, root);
  return own === null ? url : own.split("/").slice(0, 2).join("/");
}

const lineOf = ({ callFrame: { url, lineNumber } }: ProfileNode) =>
  url === "" ? "" : ` ${url.split("/").at(-1)}:${lineNumber + 1}`;

/** The path inside the project of a file of ours; null for anything else. */
function ownPath(url: string, root: string): string | null {
  const path = url.startsWith("file://") ? url.slice("file://".length) : url;
  return path.startsWith(`${root}/`) && !path.includes("/node_modules/") ? path.slice(root.length + 1) : null;
}

function nearestOwn(from: ProfileNode, parents: ReadonlyMap<number, ProfileNode>, root: string): string {
  for (let node: ProfileNode | undefined = from; node !== undefined; node = parents.get(node.id)) {
    const path = ownPath(node.callFrame.url, root);
    if (path !== null) return `${path} ${node.callFrame.functionName || "(anonymous)"}`;
  }
  return "(none of ours on the stack)";
}

export function renderProfile({ busyMs, groups, functions, callers }: ProfileSummary): string {
  const lines = (title: string, shares: readonly Share[]) => [
    `  ${title}`,
    ...shares.map(({ name, share }) => `    ${(share * 100).toFixed(1).padStart(5)} %  ${name}`),
  ];
  return [
    `  ${busyMs.toFixed(0)} ms busy`,
    ...lines("own time by package and folder:", groups),
    ...lines("own time by function:", functions),
    ...lines("by our nearest function on the stack, with what it calls:", callers),
  ].join("\n");
}

import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";

/** A user that Postgres can run as, by its numbers. */
export type Account = { readonly uid: number; readonly gid: number; readonly name: string };

/** What we create where Debian's postgresql has not: a system user without home, password or shell. */
const CREATED = "tessera-postgres";

function lookUp(name: string): Account | null {
  const ids = ["-u", "-g"].map((which) => spawnSync("id", [which, name], { encoding: "utf8" }));
  if (ids.some(({ status }) => status !== 0)) return null;
  const [uid, gid] = ids.map(({ stdout }) => Number(stdout));
  if (uid === undefined || gid === undefined || uid === 0) return null;
  return { uid, gid, name };
}

/** useradd says nothing when it succeeds; where there is none, as in some containers, nobody has to do. */
function create(log: (line: string) => void): Account | null {
  const args = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", CREATED];
  if (spawnSync("useradd", args, { stdio: "ignore" }).status !== 0) return null;
  log(`created the system user ${CREATED}: Postgres refuses to run as root`);
  return lookUp(CREATED);
}

/**
 * The user that Postgres runs as when root starts it, since it refuses to run as root: the owner of the cluster, if
 * there is one; else "postgres"; else a system user of our own, created if need be; else "nobody".
 *
 * @param clusterDir where the cluster is or will be
 * @throws if a machine has not even a nobody
 */
export function accountForRoot(clusterDir: string, log: (line: string) => void): Account {
  const owner = statSync(clusterDir, { throwIfNoEntry: false });
  if (owner !== undefined && owner.uid !== 0)
    return { uid: owner.uid, gid: owner.gid, name: `user ${owner.uid}` };
  const account = lookUp("postgres") ?? lookUp(CREATED) ?? create(log) ?? lookUp("nobody");
  if (account === null) throw new Error("there is no user to run Postgres as: not postgres, and not nobody");
  return account;
}

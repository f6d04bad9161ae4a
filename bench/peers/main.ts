/** `node bench/peers/main.ts [--rounds N] [--json]`: the same chain and fan-out on each, in turns, on one PostgreSQL. */
import { parseArgs } from "node:util";
import { Stack } from "../parts/stack.ts";
import { median, summarize } from "../parts/statistics.ts";
import { startBoss } from "./boss.ts";
import { startDbos } from "./dbos.ts";
import { startGraphile } from "./graphile.ts";
import { startMillrace } from "./millrace.ts";
import { chainLength, fanWidth, type Peer, type PeerDatabase } from "./peer.ts";

const { values: flags } = parseArgs({
  options: { rounds: { type: "string", default: "20" }, json: { type: "boolean", default: false } },
});
const shapes = [
  { name: "chain", expected: chainLength },
  { name: "fanout", expected: fanWidth * (fanWidth - 1) },
] as const;
const warmUps = 3;

await using stack = await Stack.start();
await using started = new AsyncDisposableStack();
const peers: readonly Peer[] = [
  await startMillrace(stack),
  started.use(await startGraphile(await database("graphile"))),
  started.use(await startBoss(await database("boss"))),
  started.use(await startDbos(await database("dbos"))),
];
const say = flags.json ? console.error : console.log;
const durability = await stack.durability();
say(`fsync ${durability.fsync}, synchronous_commit ${durability.synchronousCommit}`);

for (const { name, expected } of shapes) {
  const durations = new Map<string, number[]>(peers.map((peer) => [peer.name, []]));
  for (let round = -warmUps; round < Number(flags.rounds); round += 1) {
    // Each begins as often as the others: what one leaves behind (vacuum, checkpoints) falls on all.
    for (let turn = 0; turn < peers.length; turn += 1) {
      const peer = peers[(turn + round + warmUps) % peers.length]!;
      const begun = performance.now();
      const value = await peer[name]();
      const took = performance.now() - begun;
      if (value !== expected) throw new Error(`${peer.name} made ${value} of ${name}, expected ${expected}`);
      if (round >= 0) durations.get(peer.name)!.push(took);
    }
  }
  const own = median(durations.get("millrace")!);
  const ratios = Object.fromEntries(
    [...durations].map(([peer, all]) => [peer, Math.round((median(all) / own) * 100) / 100]),
  );
  for (const peer of peers) {
    const { median: middle, p99, n } = summarize(durations.get(peer.name)!);
    say(
      `${name}  ${peer.name.padEnd(16)} median ${middle} ms, p99 ${p99} ms, n ${n}, ratio ${ratios[peer.name]} (${peer.isolation})`,
    );
  }
  if (flags.json) {
    console.log(
      JSON.stringify({
        bench: `peers-${name}`,
        unit: "ms",
        ...summarize(durations.get("millrace")!),
        ratios,
        durability,
        isolation: peers[0]!.isolation,
        versions: stack.versions(),
      }),
    );
  }
}

async function database(name: string): Promise<PeerDatabase> {
  await stack.query(`create database ${name}`);
  const { host, user } = stack.postgres.connection;
  return { name, url: `postgresql://${user}@${encodeURIComponent(host)}/${name}` };
}

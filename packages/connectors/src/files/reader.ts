/**
 * Reads one folder: tells of its files, each version once, and remembers what it told.
 *
 * Truth is what a look at a file says and what is remembered of it; what the system tells of changes only says where to look
 * first. The whole folder is looked through at the beginning and now and then, so that a change which nobody told is found.
 *
 * F1: a version of a file, its size and time, is told when it differs from what is remembered, and is remembered with that.
 * F2: a file is told when its protocol says that it is complete: two looks, `quiet` apart, that saw the same, or one at a file
 *     that has rested for a minute; its name; its marker, if that is not older than the file.
 * F3: memory has a bound however many files there are: folders are listed, and what is remembered is asked for, in batches.
 * F4: what can't be read is forgotten by nobody. A file is forgotten when it is not there while its folder is the same one as
 *     before; an empty folder forgets nothing unless it was seen with files, by this reader on the same device, or by one
 *     before it as the very same folder: it may be a mount that is not there.
 * F5: one thing is done at a time, so that a file is told by one look alone.
 */
import { join, resolve } from "node:path";
import type { Finding, Remembered, SourceProblem, SourceTask } from "@millrace/core";
import type { Directory, Entry, Look } from "./directory.ts";
import { fileFinding, fingerprintOf, goneFinding } from "./finding.ts";
import { newPass, type Found, type Pass } from "./pass.ts";
import {
  badNames,
  folderError,
  folderMissing,
  isOfFileSystem,
  noFolder,
  problemOf,
  unwatched,
} from "./problems.ts";
import { below, FileRules, folderOf, isTellable } from "./rules.ts";
import { SettlingFiles } from "./settling.ts";
import { FolderTroubles, pollMs, scanShare } from "./troubles.ts";
import { FolderWatches } from "./watches.ts";

/** Files that are looked at, asked for and told together. */
const batchMax = 500;
/** Paths that wait to be looked at; beyond it the whole folder is. */
const hintsMax = 20_000;
/** A file that was changed longer ago is taken at its first look. Clocks of file systems may differ from ours by less. */
const restMsMin = 60_000;

export class FolderReader {
  readonly #task: SourceTask;
  readonly #directory: Directory;
  readonly #folder: string;
  readonly #rules: FileRules;
  readonly #settling = new SettlingFiles();
  #hints = new Set<string>();
  #rescanAt = 0;
  /** Something happened of which only the whole folder tells. */
  #mustRescan = true;
  readonly #watches: FolderWatches;
  #watchProblem: SourceProblem | undefined;
  #root: Look | undefined;
  /** The folder in which files were seen last; of what a reader before this one saw, the identity alone is known. */
  #home: { readonly identity: string; readonly device: string | undefined } | undefined;
  #lastPass: Pass | undefined;
  #troubles = new FolderTroubles();
  #lastScan: { readonly at: number; readonly tookMs: number } | undefined;
  #wake: () => void = () => undefined;

  constructor(task: SourceTask, directory: Directory) {
    this.#task = task;
    this.#directory = directory;
    this.#folder = resolve(task.root, task.definition.folder);
    this.#rules = new FileRules(task.definition);
    this.#watches = new FolderWatches({
      directory,
      folder: this.#folder,
      ignore: task.definition.ignore,
      onChanges: (paths) => this.#onChanges(paths),
      onLost: (error) => {
        this.#watchProblem = unwatched(this.#folder, error);
        void this.#watches.stop().then(() => this.#lookAgain());
      },
    });
    const home = task.reported?.home;
    this.#home = home === undefined ? undefined : { identity: home, device: undefined };
  }

  /** Resolves when the task's signal ended it. Throws what is wrong with the folder. */
  async run(): Promise<void> {
    const { signal, clock } = this.#task;
    const onAbort = (): void => this.#wake();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      while (!signal.aborted) {
        if (this.#mustRescan || this.#rescanAt <= clock.now()) await this.#rescan();
        await this.#takeHints();
        await this.#takeSettled();
        if (this.#troubles.dueAt <= clock.now()) await this.#retryTroubled();
        await this.#idle();
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      await this.#watches.stop();
    }
  }

  get #isStopped(): boolean {
    return this.#task.signal.aborted;
  }

  // --- the whole folder ---------------------------------------------------------------------------------------------

  async #rescan(): Promise<void> {
    const { clock } = this.#task;
    const beganAt = clock.now();
    this.#mustRescan = false;
    await this.#meet();
    const pass = newPass();
    this.#hints.clear();
    await this.#walk("", pass);
    if (this.#isStopped) return;
    await this.#sweep(pass);
    const endedAt = clock.now();
    const tookMs = Math.round(endedAt - beganAt);
    this.#lastPass = pass;
    this.#troubles = pass.troubles;
    this.#troubles.tried(endedAt, 0);
    this.#lastScan = { at: Math.round(endedAt), tookMs };
    const everyMs = this.#watches.isOn
      ? this.#task.definition.rescanMs
      : Math.min(pollMs, this.#task.definition.rescanMs);
    this.#rescanAt = Math.max(beganAt + everyMs, endedAt + (scanShare - 1) * tookMs);
    this.#report();
  }

  /** The folder as it is now; watches it anew where it is another one, or is watched in pieces. */
  async #meet(): Promise<void> {
    const root = await this.#lookAtRoot();
    if (root.identity !== this.#root?.identity || this.#watches.isPieced) await this.#watches.stop();
    this.#root = root;
    if (this.#watches.isOn) return;
    try {
      await this.#watches.start();
      this.#watchProblem = undefined;
    } catch (error) {
      this.#watchProblem = unwatched(this.#folder, error);
    }
  }

  async #lookAtRoot(): Promise<Look> {
    let root: Look | undefined;
    try {
      root = await this.#directory.look(this.#folder);
    } catch (error) {
      throw folderError(this.#folder, error);
    }
    if (!root) throw folderMissing(this.#folder);
    if (root.kind !== "folder") throw noFolder(this.#folder);
    return root;
  }

  /** Folders wait in a list instead of on the stack. A folder that is gone meanwhile is no trouble, unless it is the first. */
  async #walk(start: string, pass: Pass): Promise<void> {
    const folders = [start];
    for (let folder = folders.pop(); folder !== undefined && !this.#isStopped; folder = folders.pop()) {
      const inner: string[] = [];
      try {
        for await (const entries of this.#directory.list(this.#pathOf(folder))) {
          if (folder === "") this.#task.begun();
          await this.#takeEntries(folder, entries, { pass, folders: inner });
          if (this.#isStopped) return;
        }
      } catch (error) {
        if (!isOfFileSystem(error)) throw error;
        const fault = folderError(this.#pathOf(folder), error);
        if (folder === "") throw fault;
        if (fault.code !== "MILLRACE_FOLDER_MISSING") pass.troubles.note(folder, problemOf(fault));
      }
      folders.push(...inner.reverse());
    }
  }

  async #takeEntries(
    folder: string,
    entries: readonly Entry[],
    { pass, folders }: { readonly pass: Pass; readonly folders: string[] },
  ): Promise<void> {
    const keys: string[] = [];
    pass.entries += entries.length;
    for (const { name, kind } of entries) {
      const key = name === undefined ? undefined : below(folder, name);
      if (key === undefined || !isTellable(key)) {
        pass.badNames += 1;
        pass.nameProblem = badNames(pass.badNames, this.#pathOf(folder));
      } else if (kind === "folder") {
        if (this.#rules.enters(key)) folders.push(key);
      } else if (kind !== "other" && this.#rules.wants(key)) keys.push(key);
    }
    await this.#takeSettled();
    // Who finds more than can settle at once waits until some have.
    while (!this.#settling.hasRoomFor(keys.length) && !this.#isStopped) {
      await this.#pause(this.#settling.nextDueAt);
      await this.#takeSettled();
    }
    const { files } = await this.#look(keys, pass);
    pass.files += files.length;
    await this.#judge(files, pass);
  }

  /** Forgets what is not there any more (F4). Where the pass met all that is remembered, there is nothing to look for. */
  async #sweep(pass: Pass): Promise<void> {
    if (pass.known > 0) this.#noteHome();
    if (pass.entries === 0 && !this.#isHome(this.#root!)) return;
    if ((await this.#task.countRemembered()) === pass.known) return;
    for (let after = ""; !this.#isStopped;) {
      const page = await this.#task.recallPage(after, batchMax);
      const last = page.at(-1);
      if (!last) return;
      after = last.key;
      const { missing } = await this.#look(
        page.map(({ key }) => key),
        pass,
      );
      await this.#forget(missing);
    }
  }

  /** Known before the first file is told from here, so that it is kept with the memory of that. */
  #noteHome(): void {
    const { identity, device } = this.#root!;
    if (this.#home?.identity === identity && this.#home.device === device) return;
    this.#home = { identity, device };
    this.#report();
  }

  #isHome({ identity, device }: Look): boolean {
    return this.#home?.identity === identity || this.#home?.device === device;
  }

  // --- single files -------------------------------------------------------------------------------------------------

  async #look(
    keys: readonly string[],
    pass: Pass | undefined,
  ): Promise<{
    readonly files: readonly Found[];
    readonly folders: readonly string[];
    readonly missing: readonly string[];
  }> {
    const files: Found[] = [];
    const folders: string[] = [];
    const missing: string[] = [];
    const looks = await Promise.all(keys.map((key) => this.#tryLook(key, pass)));
    for (const [at, key] of keys.entries()) {
      const look = looks[at];
      if (look === "unreadable") continue;
      if (look?.kind === "file") files.push({ key, look });
      else missing.push(key);
      if (look?.kind === "folder" && !look.isLink) folders.push(key);
    }
    return { files, folders, missing };
  }

  async #tryLook(key: string, pass: Pass | undefined): Promise<Look | undefined | "unreadable"> {
    try {
      return await this.#directory.look(this.#pathOf(key));
    } catch (error) {
      const folder = folderOf(key);
      pass?.troubles.note(folder, problemOf(folderError(this.#pathOf(folder), error)));
      return "unreadable";
    }
  }

  /** Tells what is new and complete. */
  async #judge(files: readonly Found[], pass?: Pass): Promise<void> {
    if (files.length === 0) return;
    const recalled = await this.#task.recall(files.map(({ key }) => key));
    const findings: Finding[] = [];
    for (const found of files) {
      const { key } = found;
      const known = recalled.get(key);
      if (pass && known) pass.known += 1;
      if (known?.fingerprint === fingerprintOf(found.look)) {
        this.#settling.drop(key);
        continue;
      }
      const look = await this.#completeLook(found, known);
      if (!look) {
        if (pass && this.#task.definition.protocol === "marker") pass.waiting += 1;
        continue;
      }
      this.#settling.drop(key);
      if (pass && !known) pass.known += 1;
      if (known?.fingerprint === fingerprintOf(look)) continue;
      findings.push(fileFinding(this.#task.definition, this.#folder, { key, look, known }));
    }
    if (findings.length === 0) return;
    this.#noteHome();
    await this.#task.record(findings);
  }

  /** What a file is, if it is complete. */
  async #completeLook(found: Found, known: Remembered | undefined): Promise<Look | undefined> {
    switch (this.#task.definition.protocol) {
      case "rename":
        return found.look;
      case "marker":
        return this.#markedLook(found.key, known);
      default:
        return this.#hasSettled(found) ? found.look : undefined;
    }
  }

  /**
   * A marker that is older than the file does not speak for it: it may be that of an earlier version, or of a file that had this name.
   * Where the file is new here, its writer may have copied the marker first: then a minute's rest speaks for it. A marker speaks for
   * the file as it is once the marker was seen: an earlier look may be one at half of it.
   */
  async #markedLook(key: string, known: Remembered | undefined): Promise<Look | undefined> {
    for (const marker of this.#rules.markersOf(key)) {
      const found = await this.#tryLook(marker, undefined);
      if (found === undefined || found === "unreadable") continue;
      const look = await this.#tryLook(key, undefined);
      if (look === undefined || look === "unreadable" || look.kind !== "file") return undefined;
      if (found.mtimeNs >= look.mtimeNs || (known === undefined && this.#restMs(look) >= restMsMin))
        return look;
    }
    return undefined;
  }

  #hasSettled({ key, look }: Found): boolean {
    const { quietMs = 0 } = this.#task.definition;
    const now = this.#task.clock.now();
    const fingerprint = fingerprintOf(look);
    const settling = this.#settling.get(key);
    if (settling?.fingerprint === fingerprint) return settling.dueAt <= now;
    if (!settling && this.#restMs(look) >= Math.max(quietMs, restMsMin)) return true;
    // Beyond that it is met by a pass, which waits for room.
    if (settling || this.#settling.hasRoomFor(1))
      this.#settling.put(key, { fingerprint, dueAt: now + quietMs });
    else this.#mustRescan = true;
    return false;
  }

  /** How long nothing has changed a file, its name and rights included. */
  #restMs({ changedAt, mtimeNs }: Look): number {
    return this.#task.clock.now() - Math.max(changedAt, Number(mtimeNs / 1_000_000n));
  }

  async #takeSettled(): Promise<void> {
    while (!this.#isStopped) {
      const keys = this.#settling.due(this.#task.clock.now(), batchMax);
      if (keys.length === 0) return;
      const { files, missing } = await this.#look(keys, undefined);
      for (const key of missing) this.#settling.drop(key);
      const seen = new Set(files.map(({ key }) => key));
      // What can't be read now is met by the next pass.
      for (const key of keys) if (!seen.has(key)) this.#settling.drop(key);
      await this.#judge(files);
      this.#report();
    }
  }

  async #forget(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const recalled = await this.#task.recall(keys);
    const findings = keys.flatMap((key) => {
      const known = recalled.get(key);
      return known ? [goneFinding(this.#task.definition, this.#folder, { key, known })] : [];
    });
    if (findings.length === 0) return;
    const root = await this.#lookAtRoot();
    if (root.identity !== this.#root?.identity) {
      this.#mustRescan = true;
      return;
    }
    await this.#task.record(findings);
  }

  // --- what the system tells ----------------------------------------------------------------------------------------

  #onChanges(paths: readonly string[]): void {
    for (const path of paths) {
      if (path === "" || this.#hints.size >= hintsMax) return this.#lookAgain();
      if (isTellable(path)) this.#hints.add(path);
    }
    this.#wake();
  }

  #lookAgain(): void {
    this.#mustRescan = true;
    this.#wake();
  }

  async #takeHints(): Promise<void> {
    if (this.#hints.size === 0 || this.#mustRescan) return;
    const keys = [...this.#hints];
    this.#hints = new Set();
    const folders = new Set<string>();
    for (let at = 0; at < keys.length && !this.#isStopped; at += batchMax)
      await this.#takeHinted(keys.slice(at, at + batchMax), folders);
    for (const folder of folders) await this.#takeFolder(folder);
    this.#report();
  }

  async #takeHinted(keys: readonly string[], folders: Set<string>): Promise<void> {
    const { files, folders: found, missing } = await this.#look(keys, undefined);
    for (const key of found) {
      if (!this.#rules.enters(key)) continue;
      // Before it is looked through: so nothing of it is missed.
      await this.#watches.startWithin(key, (inner) => isTellable(inner) && this.#rules.enters(inner));
      folders.add(key);
    }
    for (const key of missing) this.#settling.drop(key);
    await this.#judge(files.filter(({ key, look }) => this.#isNews(key, look)));
    // What the glob does not name comes and goes all the time; a pass finds what was told under another one.
    await this.#forget(missing.filter((key) => this.#rules.wants(key)));
    const marked = files.filter(({ key }) => this.#rules.isMarker(key)).map(({ key }) => key);
    await this.#takeMarked(marked, folders);
  }

  /** A file that is being written is not asked for in the database each time. */
  #isNews(key: string, look: Look): boolean {
    if (!this.#rules.wants(key)) return false;
    if (!this.#settling.get(key)) return true;
    this.#hasSettled({ key, look });
    return false;
  }

  async #takeMarked(markers: readonly string[], folders: Set<string>): Promise<void> {
    const keys = new Set<string>();
    for (const marker of markers) {
      const key = this.#rules.fileOf(marker);
      if (key === undefined) folders.add(folderOf(marker));
      else keys.add(key);
    }
    const { files, missing } = await this.#look([...keys], undefined);
    // It is named without what follows its last dot: its folder tells which it is.
    for (const key of missing) folders.add(folderOf(key));
    await this.#judge(files.filter(({ key }) => this.#rules.wants(key)));
  }

  /** What came into being, or is marked, in one folder and below. */
  async #takeFolder(folder: string): Promise<void> {
    const pass = newPass();
    await this.#walk(folder, pass);
    if (this.#isStopped) return;
    if (!this.#troubles.takeBelow(folder, pass.troubles, this.#task.clock.now())) return;
    // Nothing is told of changes in a folder that could not be read when it was to be watched.
    await this.#watches.stop();
    this.#mustRescan = true;
  }

  /** Folders that could not be read are tried again long before the whole folder is: so a mended one is not told for long. */
  async #retryTroubled(): Promise<void> {
    const { clock } = this.#task;
    const beganAt = clock.now();
    for (const folder of this.#troubles.folders) if (!this.#isStopped) await this.#takeFolder(folder);
    this.#troubles.tried(clock.now(), clock.now() - beganAt);
    this.#report();
  }

  // --- waiting ------------------------------------------------------------------------------------------------------

  async #idle(): Promise<void> {
    if (this.#hints.size > 0 || this.#mustRescan) return;
    await this.#pause(Math.min(this.#rescanAt, this.#troubles.dueAt, this.#settling.nextDueAt));
  }

  /** Until an instant, or until something happens. */
  async #pause(until: number): Promise<void> {
    const { clock } = this.#task;
    if (this.#isStopped) return;
    const delayMs = until - clock.now();
    if (delayMs <= 0) return;
    await new Promise<void>((done) => {
      const alarm = clock.after(delayMs, done);
      this.#wake = () => {
        alarm.cancel();
        done();
      };
    });
    this.#wake = () => undefined;
  }

  /** Not before the folder was looked through once: one that can't be read would be told to run each time that it is tried. */
  #report(): void {
    if (!this.#lastPass || !this.#lastScan) return;
    const { files: things, waiting, nameProblem } = this.#lastPass;
    const wrong = this.#troubles.last ?? nameProblem ?? this.#watchProblem;
    this.#task.report({
      things,
      settling: this.#settling.size,
      waiting,
      scan: this.#lastScan,
      ...(this.#home ? { home: this.#home.identity } : {}),
      ...(wrong ? { problem: wrong } : {}),
    });
  }

  #pathOf(key: string): string {
    return join(this.#folder, key);
  }
}

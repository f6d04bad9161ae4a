/** HTTP written by hand: clients take little of the CPU that they share with what they measure. */
import type { Socket } from "node:net";

export interface Exchanged {
  readonly status: number;
  readonly body: string;
}

/** One request and its answer, whose length is in its head. */
export function exchange(socket: Socket, request: Buffer): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const take = (part: Buffer): void => {
      answer += part.toString("latin1");
      const head = answer.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(answer)?.[1] ?? Number.NaN);
      if (Number.isNaN(length)) settle(() => reject(new Error(`no length: ${answer.slice(0, 200)}`)));
      if (answer.length < head + 4 + length) return;
      settle(() => resolve({ status: Number(answer.slice(9, 12)), body: answer.slice(head + 4) }));
    };
    const fail = (): void => settle(() => reject(new Error("the server closed the connection")));
    const settle = (how: () => void): void => {
      socket.off("data", take);
      socket.off("close", fail);
      how();
    };
    socket.on("data", take);
    socket.on("close", fail);
    socket.write(request);
  });
}

import { once } from "node:events";
import { connect, type AddressInfo } from "node:net";
import { manualClock } from "@millrace/testkit";
import { fastify } from "fastify";
import { expect, onTestFinished, test } from "vitest";
import type { Clock } from "../../../src/engine/clock.ts";
import { deliveriesMax, deliveryBodyMs } from "../../../src/http/limits.ts";
import type { DeliveryContext } from "../../../src/http/webhook/delivery.ts";
import { addWebhookDoor } from "../../../src/http/webhook/webhook-door.ts";

const head = "POST /hooks/x HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n";

test("bodies that never end take every place, and lose it after a while", async () => {
  const manual = manualClock(0);
  const clock: Clock = {
    monotonic: () => manual.now(),
    after: (delayMs, callback) => ({ cancel: manual.schedule(manual.now() + delayMs, callback) }),
  };
  // Such a delivery comes no further than its body.
  const context = { clock } as unknown as DeliveryContext;
  const app = fastify({ forceCloseConnections: true });
  void app.register(async (door) => addWebhookDoor(door, context));
  onTestFinished(() => app.close());
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;

  let begun = 0;
  const allBegun = new Promise<void>((resolve) => {
    app.server.on("request", () => {
      begun += 1;
      if (begun === deliveriesMax) resolve();
    });
  });
  const slow = Array.from({ length: deliveriesMax }, () => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(`${head}abc`);
    return socket;
  });
  await allBegun;
  const url = `http://127.0.0.1:${port}/hooks/x`;
  const refused = await fetch(url, { method: "POST", body: "1" });
  expect(await refused.text()).toContain(`${deliveriesMax} deliveries are under way`);

  const closed = Promise.all(slow.map((socket) => once(socket, "close")));
  manual.advance(deliveryBodyMs - 1);
  expect(slow.some((socket) => socket.closed)).toBe(false);
  manual.advance(1);
  await closed;
});

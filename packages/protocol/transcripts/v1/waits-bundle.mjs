const tasks = {
  order: async (input, ctx) => {
    const { id } = await ctx.step("place", () => ({ id: input.order }));
    await ctx.step("refused", () => {
      throw new RangeError("too many");
    }).catch(() => {});
    const paid = await Promise.race([
      ctx.waitFor({ kind: "event", type: "order.paid" }, { name: "paid", timeout: "3d" }),
      ctx.sleep("1d"),
    ]);
    const shipped = await ctx.step("ship", async () => {
      await ctx.emit({ type: "order.shipped", subject: id, data: { id } });
      return "shipped";
    });
    const answer = await ctx.approve({ title: "Close?", by: ["ann"] });
    return { paid: paid.members.paid.length, shipped, approved: answer.approved };
  },
};
export const modules = { "pipelines/p.ts": tasks };
export const settings = { project: "transcripts", pools: {}, queues: [] };
export function loadProject(modules) {
  return { taskFunction: (_, node) => modules["pipelines/p.ts"][node], conditionOf: (value) => value };
}

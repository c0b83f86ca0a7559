// The memory of an isolate, as V8's inspector tells it.

/** Opens the inspector of an isolate. `heap()` and `wasm()` give bytes. */
export async function inspect(url) {
  const socket = new WebSocket(url);
  const waiting = new Map();
  let ids = 0;
  let contextId;
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", () => reject(new Error("the inspector does not answer")), { once: true });
  });
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error, method, params } = JSON.parse(data);
    if (method === "Runtime.executionContextCreated") contextId = params.context.id;
    const one = waiting.get(id);
    waiting.delete(id);
    if (error) one?.reject(new Error(error.message));
    else one?.resolve(result);
  });
  const gone = () => {
    for (const { reject } of waiting.values()) reject(new Error("the isolate is gone"));
    waiting.clear();
  };
  socket.addEventListener("close", gone);
  const call = (method, params = {}) =>
    new Promise((resolve, reject) => {
      if (socket.readyState !== WebSocket.OPEN) return reject(new Error("the isolate is gone"));
      ids += 1;
      waiting.set(ids, { resolve, reject });
      socket.send(JSON.stringify({ id: ids, method, params }));
    });
  await call("Runtime.enable");
  return {
    // What V8 holds for the heap, used or not, and the array buffers outside of it; not WebAssembly memory.
    async heap() {
      const { totalSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = await call("Runtime.getHeapUsage");
      return totalSize + embedderHeapUsedSize + backingStorageSize;
    },
    // Memories that the isolate can still reach. They only grow, so one look at the end is their peak.
    async wasm() {
      const { result } = await call("Runtime.evaluate", { contextId, expression: "WebAssembly.Memory.prototype" });
      const { objects } = await call("Runtime.queryObjects", { prototypeObjectId: result.objectId });
      const sum = "function () { return this.reduce((bytes, memory) => bytes + memory.buffer.byteLength, 0); }";
      const { result: bytes } = await call("Runtime.callFunctionOn", {
        objectId: objects.objectId,
        functionDeclaration: sum,
        returnByValue: true,
      });
      return bytes.value;
    },
    close: () => socket.close(),
  };
}

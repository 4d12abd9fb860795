import { ContainerTarget } from "../../../src/targets/container/target.js";
import { AllowedImages } from "../../../src/targets/container/images.js";
import { context, job } from "../support.js";

/** A dispatcher to be killed: runs the spec it is given, and says when its container has started. */
const [, , socketPath = "", spec = "", key = ""] = process.argv;
const target = new ContainerTarget({
  ...{ socketPath, images: new AllowedImages("*=**"), networks: new Set<string>() },
});
const running = context();
running.log.info = (message) => console.log(message);
const outcome = await target.run(target.schema.parse(JSON.parse(spec)), job({ key }), running);
console.log(JSON.stringify(outcome));
await target[Symbol.asyncDispose]();

// Subscribes, publishes, and prints what arrives.
//
// node messages.mjs URL TOKEN
import { Redis } from "@upstash/redis";

const [url, token] = process.argv.slice(2);
const redis = new Redis({ url, token, enableTelemetry: false, retry: false });

const subscription = redis.subscribe(["news"]);
const arrived = new Promise((resolve, reject) => {
  subscription.on("message", resolve);
  subscription.on("error", reject);
});
await new Promise((resolve) => subscription.on("subscribe", resolve));
const receivers = await redis.publish("news", { hello: "world, and others" });
const { channel, message } = await arrived;
await subscription.unsubscribe();
console.log(JSON.stringify({ receivers, channel, message }));
process.exit(0);

// Sends each step through npm's `@upstash/redis` and prints the answers as one JSON object.
//
// node steps.mjs URL TOKEN base64|text
import { Redis } from "@upstash/redis";

const [url, token, encoding] = process.argv.slice(2);
const redis = new Redis({
  url,
  token,
  responseEncoding: encoding === "base64" ? "base64" : false,
  automaticDeserialization: false,
  enableTelemetry: false,
  retry: false,
});

// The client pipelines on its own and puts its words around the server's.
const failure = async (call) => {
  try {
    await call();
    return "no error";
  } catch (error) {
    return String(error.message).replace("Command failed: ", "").split(", command was")[0];
  }
};
const scanAll = async () => {
  const found = [];
  let cursor = "0";
  do {
    const [next, keys] = await redis.scan(cursor, { match: "scan:*", count: 10 });
    cursor = String(next);
    found.push(...keys);
  } while (cursor !== "0");
  return found;
};
const script = "return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1]), {1, {2, 'deep'}}}";

const steps = {
  set: () => redis.set("text", "plain"),
  get: () => redis.get("text"),
  get_absent: () => redis.get("absent"),
  set_with_options: () => redis.set("short", "v", { ex: 100, nx: true }),
  set_refused: () => redis.set("short", "w", { nx: true }),
  set_unicode: () => redis.set("unicode", "žluťoučký 🐎 \"quoted\" \\ \n"),
  get_unicode: () => redis.get("unicode"),
  set_ok: () => redis.set("ok", "OK"),
  get_ok: () => redis.get("ok"),
  mset: () => redis.mset({ m1: "1", m2: "two" }),
  mget: () => redis.mget("m1", "absent", "m2", "text"),
  del: () => redis.del("m1", "absent"),
  exists: () => redis.exists("m1", "m2"),
  expire: () => redis.expire("m2", 100),
  persist: () => redis.persist("m2"),
  incr: () => redis.incr("counter"),
  incrby: () => redis.incrby("counter", 41),
  append: () => redis.append("text", "!"),
  getrange: () => redis.getrange("text", 0, 3),
  hset: () => redis.hset("hash", { a: "1", b: "two" }),
  hget: () => redis.hget("hash", "b"),
  hgetall: () => redis.hgetall("hash"),
  hdel: () => redis.hdel("hash", "a"),
  sadd: () => redis.sadd("set", "x", "y", "x"),
  smembers: () => redis.smembers("set"),
  sismember: () => redis.sismember("set", "x"),
  zadd: () => redis.zadd("sorted", { score: 1.5, member: "a" }, { score: 3, member: "b" }),
  zrange: () => redis.zrange("sorted", 0, -1, { withScores: true }),
  zscore: () => redis.zscore("sorted", "a"),
  rpush: () => redis.rpush("list", "1", "2", "3"),
  lrange: () => redis.lrange("list", 0, -1),
  scan_prepare: () => redis.mset({ "scan:1": "a", "scan:2": "b", "scan:3": "c" }),
  scan: scanAll,
  eval: () => redis.eval(script, ["scripted"], ["argument"]),
  script_load: () => redis.scriptLoad("return ARGV[1]"),
  evalsha: async () => redis.evalsha(await redis.scriptLoad("return ARGV[1]"), [], ["loaded"]),
  evalsha_absent: () => failure(() => redis.evalsha("0".repeat(40), [], [])),
  pipeline: () => {
    const pipeline = redis.pipeline();
    pipeline.set("p", "1");
    pipeline.incr("p");
    pipeline.get("p");
    pipeline.get("absent");
    return pipeline.exec();
  },
  multi: () => {
    const multi = redis.multi();
    multi.set("t", "1");
    multi.incrby("t", 9);
    multi.get("t");
    return multi.exec();
  },
  wrong_type: () => failure(() => redis.incr("hash")),
  unknown_command: () => failure(() => redis.exec(["NOSUCHCOMMAND", "x"])),
  wrong_arity: () => failure(() => redis.exec(["GET"])),
  failed_script: () => failure(() => redis.eval("return redis.error_reply('MINE no')", [], [])),
};

const answers = {};
for (const [name, step] of Object.entries(steps)) {
  answers[name] = await step();
}
console.log(JSON.stringify(answers));

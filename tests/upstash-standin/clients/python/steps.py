"""Sends each step through PyPI's `upstash-redis` and prints the answers as one JSON object.

python steps.py URL TOKEN base64|text
"""

import json
import sys

from upstash_redis import Redis
from upstash_redis.errors import UpstashError

url, token, encoding = sys.argv[1:4]
redis = Redis(
    url=url,
    token=token,
    rest_encoding="base64" if encoding == "base64" else None,
    rest_retries=0,
    allow_telemetry=False,
)
SCRIPT = "return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1]), {1, {2, 'deep'}}}"


def failure(call):
    try:
        call()
    except UpstashError as error:
        return str(error)
    return "no error"


def scan_all():
    found, cursor = [], 0
    while True:
        cursor, keys = redis.scan(cursor, match="scan:*", count=10)
        found.extend(keys)
        if int(cursor) == 0:
            return found


def pipeline():
    pipe = redis.pipeline()
    pipe.set("p", "1")
    pipe.incr("p")
    pipe.get("p")
    pipe.get("absent")
    return pipe.exec()


def multi():
    pipe = redis.multi()
    pipe.set("t", "1")
    pipe.incrby("t", 9)
    pipe.get("t")
    return pipe.exec()


STEPS = {
    "set": lambda: redis.set("text", "plain"),
    "get": lambda: redis.get("text"),
    "get_absent": lambda: redis.get("absent"),
    "set_with_options": lambda: redis.set("short", "v", ex=100, nx=True),
    "set_refused": lambda: redis.set("short", "w", nx=True),
    "set_unicode": lambda: redis.set("unicode", 'žluťoučký 🐎 "quoted" \\ \n'),
    "get_unicode": lambda: redis.get("unicode"),
    "set_ok": lambda: redis.set("ok", "OK"),
    "get_ok": lambda: redis.get("ok"),
    "mset": lambda: redis.mset({"m1": "1", "m2": "two"}),
    "mget": lambda: redis.mget("m1", "absent", "m2", "text"),
    "del": lambda: redis.delete("m1", "absent"),
    "exists": lambda: redis.exists("m1", "m2"),
    "expire": lambda: redis.expire("m2", 100),
    "persist": lambda: redis.persist("m2"),
    "incr": lambda: redis.incr("counter"),
    "incrby": lambda: redis.incrby("counter", 41),
    "append": lambda: redis.append("text", "!"),
    "getrange": lambda: redis.getrange("text", 0, 3),
    "hset": lambda: redis.hset("hash", values={"a": "1", "b": "two"}),
    "hget": lambda: redis.hget("hash", "b"),
    "hgetall": lambda: redis.hgetall("hash"),
    "hdel": lambda: redis.hdel("hash", "a"),
    "sadd": lambda: redis.sadd("set", "x", "y", "x"),
    "smembers": lambda: list(redis.smembers("set")),
    "sismember": lambda: redis.sismember("set", "x"),
    "zadd": lambda: redis.zadd("sorted", {"a": 1.5, "b": 3}),
    "zrange": lambda: redis.zrange("sorted", 0, -1, withscores=True),
    "zscore": lambda: redis.zscore("sorted", "a"),
    "rpush": lambda: redis.rpush("list", "1", "2", "3"),
    "lrange": lambda: redis.lrange("list", 0, -1),
    "scan_prepare": lambda: redis.mset({"scan:1": "a", "scan:2": "b", "scan:3": "c"}),
    "scan": scan_all,
    "eval": lambda: redis.eval(SCRIPT, keys=["scripted"], args=["argument"]),
    "script_load": lambda: redis.script_load("return ARGV[1]"),
    "evalsha": lambda: redis.evalsha(redis.script_load("return ARGV[1]"), args=["loaded"]),
    "evalsha_absent": lambda: failure(lambda: redis.evalsha("0" * 40)),
    "pipeline": pipeline,
    "multi": multi,
    "wrong_type": lambda: failure(lambda: redis.incr("hash")),
    "unknown_command": lambda: failure(lambda: redis.execute(["NOSUCHCOMMAND", "x"])),
    "wrong_arity": lambda: failure(lambda: redis.execute(["GET"])),
    "failed_script": lambda: failure(lambda: redis.eval("return redis.error_reply('MINE no')")),
}

print(json.dumps({name: step() for name, step in STEPS.items()}))

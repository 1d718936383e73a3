#!/usr/bin/env python3
"""Many connections on one server: what each waits for, and what the server holds.

    load.py ENVOI [--connections 500] [--active 32] [--seconds 600]

Starts `ENVOI serve` over the sample lake. First 8 clients ask the mixed queries below, then all the
connections stay open while `--active` of them ask. Prints the times of both, errors, memory, and then how
long a cancel takes and how a trivial query fares beside heavy ones. Needs the Python package psycopg (3).
"""

import argparse
import asyncio
import pathlib
import random
import re
import signal
import statistics
import subprocess
import time

import psycopg

QUERIES = [
    "select 1",
    "select iso3, remit_oda_ratio from remittance_vs_oda where year = 2022 order by 2 desc limit 10",
    "select group_name, remit_oda_ratio from remittance_vs_oda_by_group where year = 2022",
    "select * from corridor_ranking where sender_iso3 = 'USA' order by remittance_usd desc limit 20",
    "select indicator, count(*), avg(value) from observation group by 1",
    "select o.iso3, c.name_en, o.value from observation o join country c using (iso3) where o.period >= date '2020-01-01'",
    "select relname from pg_catalog.pg_class where relkind in ('r', 'v') order by 1",
]
HEAVY = {
    "join": "select count(*) from range(0, 3000000) a join range(0, 3000000) b on a.value % 1000 = b.value % 1000",
    "sort": "select * from range(0, 100000000) order by value % 1000003, value desc offset 99999999",
    "stream": "select value, value * 2 from range(0, 2000000000)",
    "group": "select value % 5000000, count(*) from range(0, 300000000) group by 1 order by 2 limit 1",
}


def resident(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


async def ask(connection, until, seconds, errors):
    generator = random.Random(len(seconds))
    while time.perf_counter() < until:
        begin = time.perf_counter()
        try:
            async with connection.cursor() as cursor:
                await cursor.execute(generator.choice(QUERIES))
                await cursor.fetchall()
        except psycopg.Error as error:
            errors.append(str(error))
        seconds.append(time.perf_counter() - begin)


def told(seconds):
    cut = statistics.quantiles(seconds, n=100)
    return f"{len(seconds)} queries, median {cut[49] * 1e3:.1f} ms, p99 {cut[98] * 1e3:.1f} ms"


async def connect(address):
    return await psycopg.AsyncConnection.connect(address, autocommit=True)


async def load(address, clients, active, duration, pid):
    connections = [await connect(address) for _ in range(clients)]
    seconds, errors = [], []
    until = time.perf_counter() + duration
    # Who asks changes: over time every connection does.
    async def worker(own):
        while time.perf_counter() < until:
            for connection in own:
                await ask(connection, min(until, time.perf_counter() + 1), seconds, errors)

    async def watch():
        held = [resident(pid)]
        for _ in range(10):
            await asyncio.sleep(duration / 10)
            held.append(resident(pid))
        return held

    held, *_ = await asyncio.gather(watch(), *(worker(connections[i::active]) for i in range(active)))
    print(f"{clients} connections, {active} active, {duration} s: {told(seconds)}, errors {len(errors)}; "
          f"memory from first to last in MiB: {' '.join(f'{mib:.0f}' for mib in held)}", flush=True)
    for error in sorted(set(errors))[:5]:
        print("   ", error)
    for connection in connections:
        await connection.close()


async def cancels(address):
    for name, sql in HEAVY.items():
        taken = []
        for _ in range(10):
            connection = await connect(address)
            task = asyncio.create_task(run(connection, sql))
            await asyncio.sleep(random.uniform(0.2, 1.0))
            begin = time.perf_counter()
            await connection.cancel_safe()
            await task
            taken.append(time.perf_counter() - begin)
            await connection.close()
        print(f"cancel of a {name}: median {statistics.median(taken) * 1e3:.0f} ms, slowest of 10 {max(taken) * 1e3:.0f} ms")


async def run(connection, sql):
    try:
        async with connection.cursor() as cursor:
            async for _ in cursor.stream(sql):
                pass
    except psycopg.errors.QueryCanceled:
        pass


async def beside(address):
    """A trivial query beside heavy ones."""
    heavy = [await connect(address) for _ in range(3)]
    tasks = [asyncio.create_task(run(c, sql)) for c, sql in zip(heavy, HEAVY.values())]
    connection = await connect(address)
    taken = []
    for _ in range(500):
        begin = time.perf_counter()
        await (await connection.execute("select 1")).fetchall()
        taken.append(time.perf_counter() - begin)
        await asyncio.sleep(0.01)
    print(f"`select 1` beside a join, a sort and a stream: {told(taken)}")
    for c in heavy:
        await c.cancel_safe()
    await asyncio.gather(*tasks)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("envoi")
    arguments.add_argument("--connections", type=int, default=500)
    arguments.add_argument("--active", type=int, default=32)
    arguments.add_argument("--seconds", type=int, default=600)
    arguments.add_argument("--serve", action="append", default=[], help="a flag of envoi serve")
    given = arguments.parse_args()
    command = [given.envoi, "serve", "--pg", "127.0.0.1:0", *given.serve]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        port = re.search(r":(\d+)/", server.stdout.readline().decode()).group(1)
        address = f"host=127.0.0.1 port={port} user=bench dbname=envoi"
        asyncio.run(load(address, 8, 8, max(given.seconds // 10, 5), server.pid))
        asyncio.run(load(address, given.connections, given.active, given.seconds, server.pid))
        asyncio.run(cancels(address))
        asyncio.run(beside(address))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


if __name__ == "__main__":
    main()

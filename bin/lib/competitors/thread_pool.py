"""Asks the businesses on standard input, one id a line, to join: with Meta's own SDK in a pool of threads.

What bin/bench sets a drain beside. Nothing is written down, so a crash would lose all of it; that is the point of the comparison.
Takes GRAPH_URL, META_APP_ID, META_APP_SECRET and ACCESS_TOKEN, and prints one line of JSON: how many calls, and in how many seconds.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from facebook_business.adobjects.business import Business
from facebook_business.api import FacebookAdsApi, FacebookAdsApiBatch
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession
from requests.adapters import HTTPAdapter


def new_api(connections):
    session = FacebookSession(os.environ["META_APP_ID"], os.environ["META_APP_SECRET"], os.environ["ACCESS_TOKEN"], timeout=30)
    session.GRAPH = os.environ["GRAPH_URL"].rstrip("/")
    # Else it looks for proxies and a .netrc at every call, which takes a quarter of the time.
    session.requests.trust_env = False
    # A smaller pool would throw connections away and open new ones.
    session.requests.mount("http", HTTPAdapter(pool_connections=1, pool_maxsize=connections))
    return FacebookAdsApi(session, api_version=os.environ.get("GRAPH_VERSION", "v25.0"))


def drain(ids, threads, batch):
    """Returns the request ids and the refusals, by business."""
    api = new_api(threads)
    solution = os.environ.get("SOLUTION_ID")
    params = {"solution_id": solution} if solution else {}

    def ask(share):
        answered, refused = {}, {}
        for business in share:
            try:
                answer = Business(business, api=api).create_onboard_partners_to_mm_lite(params=params)
                answered[business] = answer["request_id"]
            except FacebookRequestError as error:
                refused[business] = error.api_error_message()
        return answered, refused

    def ask_in_batches(share):
        answered, refused = {}, {}

        def keep(business, response):
            answered[business] = response.json()["request_id"]

        def keep_refusal(business, response):
            refused[business] = response.error().api_error_message()

        for start in range(0, len(share), batch):
            calls = FacebookAdsApiBatch(api)
            for business in share[start : start + batch]:
                Business(business, api=api).create_onboard_partners_to_mm_lite(
                    params=params, batch=calls, success=partial(keep, business), failure=partial(keep_refusal, business)
                )
            # What it returns are the calls that were not answered.
            while calls:
                calls = calls.execute()
        return answered, refused

    answered, refused = {}, {}
    # A thread has its share from the start: a future for each call would only add to the work.
    with ThreadPoolExecutor(threads) as pool:
        shares = [ids[start::threads] for start in range(threads)]
        for some_answered, some_refused in pool.map(ask if batch == 1 else ask_in_batches, shares):
            answered |= some_answered
            refused |= some_refused
    return answered, refused


def work(ids, threads, batch, ready, results):
    """A process: waits until all are up, so that what starting Python takes is not counted."""
    ready.wait()
    answered, refused = drain(ids, threads, batch)
    for business, message in list(refused.items())[:1]:
        print(f"{business}: {message}", file=sys.stderr)
    results.put((len(answered), len(refused)))


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--threads", type=int, default=8, help="in each process")
    arguments.add_argument("--processes", type=int, default=2, help="CPython runs one thread at a time in each")
    arguments.add_argument("--batch", type=int, default=1, help="calls in one HTTP request, up to the 50 Graph takes")
    options = arguments.parse_args()
    ids = sys.stdin.read().split()

    # Forked, so that the modules are loaded and the ids there already.
    fork = multiprocessing.get_context("fork")
    ready = fork.Barrier(options.processes + 1)
    results = fork.SimpleQueue()
    shares = [ids[start :: options.processes] for start in range(options.processes)]
    processes = [fork.Process(target=work, args=(share, options.threads, options.batch, ready, results)) for share in shares]
    for process in processes:
        process.start()
    ready.wait()
    started = time.perf_counter()
    for process in processes:
        process.join()
    seconds = time.perf_counter() - started
    if any(process.exitcode for process in processes):
        sys.exit("a process of the thread pool failed")
    counts = [results.get() for _ in processes]
    print(
        json.dumps(
            {
                "calls": len(ids),
                "answered": sum(answered for answered, _ in counts),
                "refused": sum(refused for _, refused in counts),
                "seconds": round(seconds, 3),
                "settings": f"{options.processes} processes, {options.threads} threads each"
                + (f", {options.batch} calls in an HTTP request" if options.batch > 1 else ""),
            }
        )
    )


if __name__ == "__main__":
    main()

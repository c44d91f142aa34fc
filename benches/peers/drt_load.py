"""drt-core's HubSpot destination on the same records; it knows companies, contacts and deals, no
invoices, lines or links. Says on its last line what it believes it has written."""

import json
import os
import sys

from drt.config.models import HubSpotDestinationConfig, SyncOptions
from drt.destinations import hubspot

hubspot._HUBSPOT_API = os.environ["BASE"] + "/crm/v3/objects"
KEY = "erp_key"
told = {"said written": 0, "said refused": 0}


def send(kind, records):
    config = HubSpotDestinationConfig(
        type="hubspot",
        object_type=kind,
        id_property=KEY,
        auth={"type": "bearer", "token_env": "HUBSPOT_TOKEN"},
    )
    options = SyncOptions(on_error="skip")
    result = hubspot.HubSpotDestination().load(records, config, options)
    told["said written"] += result.success
    told["said refused"] += len(records) - result.success


def company(at):
    return {KEY: f"K-{at}", "name": f"Customer {at}"}


load, count = sys.argv[1], int(sys.argv[2])
if load == "six_hundred":
    send("companies", [company(at) for at in range(100)])
    send("contacts", [{KEY: f"K-{at}", "email": f"jo@customer{at}.example"} for at in range(100)])
elif load == "companies":
    send("companies", [company(at) for at in range(count)])
else:
    records = [company(at) for at in range(100)]
    # A number that is none: HubSpot refuses such a value.
    records[42]["numberofemployees"] = "many"
    send("companies", records)
print(json.dumps(told))

# SPDX-License-Identifier: Apache-2.0
"""A command for the publisher `hook` that lets one of acme.sh's dnsapi scripts write the records.

    command: [python3, /usr/local/lib/hook_acme_sh.py, /root/.acme.sh, dns_cf]

The first argument is the directory that acme.sh is installed in, the second the name of the script. Credentials are
those that acme.sh has saved in its account.conf. The records come as JSON on standard input, one call of the script
for each, because that is all these scripts take. Some of them delete all text records of a name when they are told to
remove one: acme.sh's nsupdate does, so use the publisher `rfc2136` in its place.
"""

import json
import os
import subprocess
import sys

# acme.sh loads itself so: without arguments it prints its help and leaves its functions.
SCRIPT = '. "$1/acme.sh" >/dev/null; _initpath; . "$1/dnsapi/$2.sh" || exit; "$2_$3" "$4" "$5"'
WORDS = {'publish': 'add', 'withdraw': 'rm'}


def main():
    """Call the script for each record; all are tried, and the status says whether all went well."""
    home, name = sys.argv[1:]
    job = json.load(sys.stdin)
    environment = {**os.environ, 'LE_WORKING_DIR': home, 'HOME': os.path.dirname(home)}
    failed = []
    for record in job['records']:
        argv = ['bash', '-c', SCRIPT, 'acme.sh', home, name, WORDS[job['action']], record['name'], record['value']]
        if subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, check=False).returncode:
            failed.append(record['name'])
    if failed:
        sys.exit(f'{name} failed for {", ".join(failed)}')


if __name__ == '__main__':
    main()

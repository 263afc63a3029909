# SPDX-License-Identifier: Apache-2.0
"""A cluster of one node in a machine: corosync, pacemaker, and bundles of podman's as TripleO has them. What happens is
read from pacemaker's own tools."""

from __future__ import annotations

import json
import pathlib
import shutil
import time
import xml.etree.ElementTree as ElementTree

import module
import services
from certificates import Pair
from engines import until

NODE = "node1"  # of Debian's corosync.conf
CIB = "/var/lib/pacemaker/cib/cib.xml"
# No fencing device, and nobody whom the node could wait for.
OPTIONS = """<cluster_property_set id="tests"><nvpair id="tests-1" name="stonith-enabled" value="false"/>
<nvpair id="tests-2" name="dc-deadtime" value="1s"/></cluster_property_set>"""
# A HAProxy without a master process that is the first process ignores SIGTERM, and ends on this.
BUNDLE = """<bundle id="{name}"><podman image="localhost/proxy:latest" replicas="1" network="host"
options="--user=root --stop-signal=SIGUSR1" run-command="{command}"/>
<storage><storage-mapping id="{name}-certs" source-dir="{certs}" target-dir="/certs" options="ro"/></storage></bundle>"""


class Cluster:
    """Started in a machine."""

    def __init__(self, machine):
        self.machine = machine
        self.program = machine.shared / "container_restart"
        shutil.copy(module.PROGRAM, self.program)
        made = f"cibadmin --empty > {CIB} && CIB_file={CIB} cibadmin --create --scope crm_config --xml-text '{OPTIONS}'"
        self.run("sh", "-c", f"{made} && chown hacluster:haclient {CIB} && chmod 600 {CIB}")
        self.run("systemctl", "start", "corosync", "pacemaker")
        until("the cluster has a coordinator", lambda: self.seen("current_dc[@present='true']"), pause=0.5)

    def run(self, *command, check=True):
        """Run something in the machine."""
        return self.machine.exec(*command, check=check)

    def status(self):
        """What crm_mon sees."""
        return ElementTree.fromstring(self.run("crm_mon", "--one-shot", "--output-as=xml", check=False))

    def seen(self, path):
        """Elements of that."""
        return self.status().findall(f".//{path}")

    def bundle(self, name, port, kind="haproxy"):
        """A bundle of one replica that runs HAProxy, and the pair that it serves."""
        pair = Pair(self.machine.shared / name)
        values = {"port": port, "address": "127.0.0.1", "certs": "/certs", "run": "/tmp", "config": "/certs/service.conf"}
        how = services.KINDS[kind]
        (pair.directory / "service.conf").write_text(how.config.format(**values))
        command = how.command.format(**values).removeprefix("exec ")
        self.run("cibadmin", "--create", "--scope", "resources", "--xml-text", BUNDLE.format(name=name, command=command, certs=pair.directory))
        return self.started(services.Service(self.machine.podman.container(f"{name}-podman-0"), pair, port, kind))

    def started(self, service):
        """Wait until pacemaker has it running."""
        resource = f"resource[@id='{service.container.name}'][@role='Started']"
        until(f"{resource}", lambda: [found for found in self.seen(resource) if not found.get("pending")], pause=0.3)
        service.serves(service.pair.fingerprint())
        return service

    def removed(self, *bundles):
        """Have pacemaker stop and forget bundles."""
        for name in bundles:
            self.run("cibadmin", "--delete", "--xpath", f"//bundle[@id='{name}']")
        until("they are gone", lambda: not [found for name in bundles for found in self.seen(f"resource[@id='{name}-podman-0']")], pause=0.3)

    def meta(self, bundle, name, value=None):
        """Set a meta attribute of a bundle, or take it away."""
        what = ["--set-parameter", name, "--parameter-value", value] if value else ["--delete-parameter", name]
        self.run("crm_resource", "--resource", bundle, "--meta", *what)

    def history(self, service):
        """What pacemaker has done to it: the numbers of its starts, of its failures, and the constraints that are there."""
        name = service.container.name
        journal = self.run("journalctl", "--unit=pacemaker", "--output=cat", "--no-pager")
        starts = journal.count(f"Result of start operation for {name} on {NODE}: ok")
        counted = [found.get("fail-count") for found in self.seen(f"resource_history[@id='{name}']") if found.get("fail-count")]
        failed = [found.get("op_key") for found in self.seen("failure") if found.get("op_key").startswith(name)]
        bans = self.run("cibadmin", "--query", "--xpath", "//rsc_location", check=False)
        return starts, [*counted, *failed], bans

    def looks_again(self, service):
        """Have pacemaker look at a container now; what it found."""
        self.run("crm_resource", "--refresh", "--resource", service.container.name)
        probes = f"resource_history[@id='{service.container.name}']/operation_history[@task='monitor'][@rc='0']"
        until("it has looked", lambda: self.seen(probes), pause=0.3)
        return self.history(service)[1]

    def lock(self, name, owner=None, seconds=0):
        """The value of a lock; with an owner it is made theirs, and ends in so many seconds."""
        if owner:
            pair = f"<nvpair id='{name}-pair' name='{name}' value='{owner}:{int(time.time()) + seconds}'/>"
            self.run("cibadmin", "--create", "--scope", "crm_config", "--xml-text", f"<cluster_property_set id='{name}'>{pair}</cluster_property_set>")
        found = self.run("cibadmin", "--query", "--xpath", f"//nvpair[@name='{name}']", check=False)
        return ElementTree.fromstring(found).get("value") if found else None

    def unlock(self, name):
        """Take a lock away, whoever holds it."""
        self.run("cibadmin", "--delete", "--xpath", f"//cluster_property_set[@id='{name}']")

    def restart(self, service, check=False, **options):
        """container_restart in the machine, for the certificate of a service."""
        task = {"certificate": str(service.pair.combined), "engine": "podman", "stable_for": 1, "verify_timeout": 10,
                "state_dir": "/run/tls-everywhere", **options, "_ansible_check_mode": check, "_ansible_diff": True}
        number = len(list(pathlib.Path(self.machine.shared).glob("task-*.json")))
        path = self.machine.shared / f"task-{service.container.name}-{number}.json"
        path.write_text(json.dumps(task))
        began = time.time()
        answer = module.Answer(json.loads(self.run(self.program, path, check=False)))
        answer.began, answer.ended = began, time.time()
        own = {key: value for key, value in answer.items() if key not in ("changed", "failed", "diff", "invocation", "warnings")}
        undocumented = [path for path, is_documented in module.answered(own, module.documented()) if not is_documented]
        assert undocumented == [], "answered, but not documented"
        return answer

    def succeeds(self, service, **options):
        """Run it, and see that it did not fail."""
        answer = self.restart(service, **options)
        assert not answer.failed, f"{json.dumps(answer, indent=1)}\n{self.run('journalctl', '--no-pager', '--lines=40')}"
        return answer

    def fails(self, service, kind, **options):
        """Run it, and see that it failed for this reason."""
        answer = self.restart(service, **options)
        assert answer.failed and answer["error"]["kind"] == kind, json.dumps(answer, indent=1)
        return answer

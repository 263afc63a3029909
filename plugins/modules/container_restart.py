#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: container_restart
short_description: Makes exactly the containers that use a certificate serve the new one
version_added: 0.1.0
author:
  - tls.everywhere contributors (!UNKNOWN)
description:
  - Finds the containers of Docker and Podman that use a certificate, does the gentlest thing that makes each serve what is in
    the file now, and proves it by TLS handshakes that were answered by a process of that container.
  - A mount is not use. A container that mounts the directory and serves nothing of it is not touched, and neither is one that
    serves the new certificate already, so a second run acts on nobody.
  - Everything is checked before anything is touched. The containers are then done one after the other, and the first failure
    stops the row. Who was not reached stays on the old certificate and is named in RV(untouched).
  - A container that does not run is never started. A signal goes to the program by the kernel, never through the engine, whose
    own C(kill) disables Docker's restart policy.
  - Needs root, to look into containers. Neither Python nor a client of the engine is needed on the target.
options:
  name:
    description: What the certificate is called in messages. Containers may name it by the label C(tls.everywhere.certificate).
    type: str
  certificate:
    description: The file of the certificate that must be served, in PEM; the first certificate in it counts.
    type: path
    required: true
  private_key:
    description:
      - The file of its key, to see that both belong together. Looked for in O(certificate) where nothing is said.
      - An encrypted key cannot be checked.
    type: path
  replaces:
    description:
      - SHA-256 fingerprints of the certificates that it takes the place of, as M(tls.everywhere.cert_request) answers them.
      - With them it is exact who serves an old one. Without, a certificate for the same subject and names counts as old.
    type: list
    elements: str
    default: []
  containers:
    description:
      - The containers that use it, by exact name or whole identity. Where neither this nor O(labels) says any, they are found
        by their mounts, labels and listeners.
      - A dictionary has the C(name) and what is done to this container, as C(action), C(signal), C(command) and
        C(command_user), like the options of the same names.
    type: list
    elements: raw
    default: []
  labels:
    description: Labels that select containers; all of them must fit, and an empty value fits any.
    type: dict
  engine:
    description: The container engine. V(auto) takes all that are on the host, also a Podman behind Docker's socket.
    type: str
    choices: [auto, docker, podman]
    default: auto
  socket:
    description: The engine's socket. The usual ones where nothing is said, and Podman's command line where it has none.
    type: path
  user:
    description: The user whose engine it is, where it does not run as root.
    type: str
  engine_timeout:
    description: Seconds that the engine may take to answer a question.
    type: int
    default: 30
  action:
    description:
      - What to do. V(auto) is the gentlest that works for the program which owns the listener, see the notes. V(none) only
        looks. V(reload) is that of the unit that owns the container.
    type: str
    choices: [auto, none, signal, exec, reload, restart]
    default: auto
  signal:
    description: For O(action=signal), one of V(HUP), V(USR1), V(USR2) and V(WINCH), sent to the program that serves.
    type: str
    default: HUP
  command:
    description: For O(action=exec), the program and its arguments, executed in the container without a shell.
    type: list
    elements: str
  command_user:
    description: As whom O(command) is executed. The container's own user where nothing is said.
    type: str
  manager:
    description:
      - Who restarts. V(auto) is pacemaker for a container of one of its bundles, else the systemd unit that owns the container,
        else the engine. With V(systemd) there must be a unit, with V(pacemaker) a bundle.
      - Pacemaker restarts only the replica on this host, asked by C(crm_resource --ban) for a moment. What it would not restart is refused before
        anything is touched, as it is when the bundle is unmanaged, shall be stopped, or is in maintenance. V(engine) is refused
        for a bundle that pacemaker looks after, because it would take that for a failure.
      - What is gentler than a restart never goes through pacemaker.
    type: str
    choices: [auto, engine, systemd, pacemaker]
    default: auto
  sync:
    description:
      - Refresh the copies that Kolla's start made of the certificate and of the key, with the owner and mode that they have.
      - Otherwise a copy that is made at each start takes a restart, and one that is made once only a new container.
    type: bool
    default: true
  escalate:
    description: Restart, once, where something gentler did not help.
    type: bool
    default: true
  only_if:
    description:
      - When to act. V(stale) if an old certificate is served, or if nothing tells and the file changed after the container
        began. V(newer) if the file changed after it began, whatever is served. V(always) in any case.
    type: str
    choices: [stale, newer, always]
    default: stale
  verify:
    description:
      - How to prove it. V(auto) by the listeners of the container's own processes. V(none) not at all. Else a list of
        dictionaries with C(host) (an address of this host, else V(127.0.0.1)), C(port), C(sni) and C(starttls) (V(imap),
        V(ldap), V(mysql), V(postgres), V(smtp), V(vnc) or V(xmpp)).
    type: raw
    default: auto
  verify_timeout:
    description: Seconds within which it must be served, and within which the healthcheck must say yes.
    type: int
    default: 30
  verify_consecutive:
    description: Handshakes in a row that must show it.
    type: int
    default: 3
  stop_timeout:
    description: Seconds that a container may take to stop. Its own time where nothing is said.
    type: int
  wait_healthy:
    description: Wait for the healthcheck of a container that has one.
    type: bool
    default: true
  stable_for:
    description: Seconds during which the container must then be seen to stay up, without being started again.
    type: int
    default: 5
  serial:
    description: How many containers are done at once.
    type: int
    default: 1
  max_failures:
    description: How many containers may fail before no further one is begun.
    type: int
    default: 0
  restart_dependents:
    description: Restart the containers that share the network of one that was restarted. They have lost it otherwise.
    type: bool
    default: true
  lock:
    description:
      - With V(pacemaker) the hosts of a cluster act one after the other. A host takes a lock in the cluster's configuration
        before it acts and gives it back after the proof. Nothing is locked in check mode, or when nothing is to be done.
      - Who had to wait looks again before it acts. The clocks of the hosts must agree.
    type: str
    choices: [none, pacemaker]
    default: none
  lock_name:
    description: What the lock is called. TripleO's scripts call theirs C(SERVICE-restart-lock), in the same form.
    type: str
    default: tls-everywhere-restart
  lock_ttl:
    description:
      - Seconds after which others may take the lock of a host that was cut off. It is prolonged before each further container,
        so it must be more than one container takes.
    type: int
    default: 600
  lock_timeout:
    description: Seconds to wait for the lock. More than O(lock_ttl), so that a host that was cut off holds up nobody for good.
    type: int
    default: 900
  missing:
    description: What a container in O(containers) that does not exist amounts to.
    type: str
    choices: [fail, skip, warn]
    default: fail
  not_running:
    description: What a container that does not run, is paused or in a restart loop amounts to. It is left alone in any case.
    type: str
    choices: [fail, skip, warn]
    default: skip
  unproven:
    description: What it amounts to that nothing can prove what is served, as with a client or a Unix socket.
    type: str
    choices: [fail, skip, warn]
    default: warn
  validate_command:
    description:
      - Executed in each container before anything is done to it. If it fails, nothing is, and refreshed copies are put back.
    type: list
    elements: str
  state_dir:
    description: Where reloads that nothing could prove are remembered, until the container starts again.
    type: path
    default: /run/tls-everywhere
notes:
  - "O(action=auto) by program. HAProxy exchanges the certificate in its memory over its runtime API, else with C(-W) it gets
    V(HUP). nginx and stunnel get V(HUP), Apache V(USR1). RabbitMQ, MariaDB, Galera, MySQL, Redis, Valkey and libvirt get a
    command, memcached is told over TLS, the VNC servers of running guests by QEMU's monitor. etcd, Open vSwitch and OVN look by
    themselves. Ceph, Grafana and qdrouterd read theirs at their start and are restarted. Anything else: the reload of its unit,
    else a restart."
  - HAProxy's runtime API needs a C(stats socket) at a path, with C(level admin). It is found by HAProxy's own sockets and reached
    through the container's root directory. With another level, with a transaction that somebody else has begun, or where no file
    that HAProxy names holds the new certificate, the reason is in RV(containers[].why) and the signal or restart is what is left.
  - The server of MariaDB or MySQL is reached at its own socket by its own client, as root, who is let in as such or by
    C(/root/.my.cnf), else as the user C(mysql). A MariaDB whose process is
    called C(mysqld) is known by its program. O(command) says another way. MySQL's command is not tested, Debian has no MySQL.
  - libvirt's daemons look only in their usual places (C(/etc/pki)) when they are told to read their certificate again. With other
    ones the daemon must be restarted. C(virtproxyd) is not tested, Debian's libvirt has C(libvirtd) alone.
  - A container in which guests run is never restarted by O(action=auto) nor by O(escalate), as that would end them.
  - A container that holds on to a file which was replaced on the host, as one that mounts the file alone does, is restarted.
  - The program also runs outside Ansible, as C(container_restart FILE.json) with these options in the file.
    The role P(tls.everywhere.restart_on_renewal#role) sets it up as a systemd path unit.
extends_documentation_fragment:
  - tls.everywhere.attributes
  - tls.everywhere.attributes.actiongroup
seealso:
  - module: tls.everywhere.cert_request
"""

EXAMPLES = r"""
- name: Have whoever uses the certificate serve the new one
  tls.everywhere.container_restart:
    certificate: /etc/pki/tls/private/overcloud-haproxy-internal_api.pem

- name: Renew, and hand over what was renewed
  tls.everywhere.cert_request:
    certificates:
      - name: haproxy
        dns: [internal.example.com]
        issuer: {self_signed: {}}
        files: [{content: combined, path: /etc/pki/tls/private/haproxy.pem}]
        containers: [haproxy]
  register: issued

- name: One certificate after the other, each by what cert_request says of it
  tls.everywhere.container_restart:
    name: "{{ item.name }}"
    certificate: "{{ item.certificate }}"
    replaces: "{{ item.replaces }}"
    containers: "{{ item.containers }}"
  loop: "{{ issued.restart }}"
  loop_control: {label: "{{ item.name }}"}

- name: A program with a command of its own, proven at an endpoint
  tls.everywhere.container_restart:
    certificate: /etc/pki/tls/certs/rabbitmq.crt
    private_key: /etc/pki/tls/private/rabbitmq.key
    containers:
      - {name: rabbitmq, command: [rabbitmqctl, eval, "ssl:clear_pem_cache()."]}
    verify: [{host: 127.0.0.1, port: 5671}]
    validate_command: [test, -r, /etc/pki/tls/private/rabbitmq.key]

- name: A bundle of pacemaker's, one controller after the other
  tls.everywhere.container_restart:
    certificate: /etc/pki/tls/certs/mysql.crt
    private_key: /etc/pki/tls/private/mysql.key
    lock: pacemaker
    lock_name: mysql-restart-lock
"""

RETURN = r"""
fingerprint:
  description: SHA-256 of the certificate that must be served.
  returned: when it could be read
  type: str
  sample: "AB:CD:…"
not_after:
  description: When it expires.
  returned: when it could be read
  type: str
  sample: "2027-01-31T12:00:00Z"
containers:
  description: The containers that were looked at, with what points at their using it. A fact that does not exist has no key.
  returned: when it could be looked for
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      returned: always
      type: str
      sample: haproxy
    id:
      description: The first letters of its identity.
      returned: always
      type: str
      sample: 0123456789ab
    engine:
      description: Which engine has it, and where that was reached.
      returned: always
      type: str
      sample: "docker at '/run/docker.sock'"
    state:
      description: What it does, in the engine's word.
      returned: always
      type: str
      sample: running
    selected_by:
      description: Why it was looked at. V(name), V(label) or V(mount).
      returned: always
      type: str
      sample: mount
    manager:
      description: Who restarts it. V(engine), V(systemd) or V(pacemaker).
      returned: always
      type: str
      sample: engine
    unit:
      description: The systemd unit that owns it.
      returned: when there is one
      type: str
      sample: tripleo_haproxy.service
    bundle:
      description: The bundle of pacemaker's that it is a replica of.
      returned: when there is one
      type: str
      sample: haproxy-bundle
    evidence:
      description: What points at its using the certificate.
      returned: when it runs
      type: dict
      contains:
        mounts:
          description: Where the certificate and its key are in it.
          returned: when they are mounted
          type: list
          elements: dict
          contains:
            source:
              description: What is mounted, on the host.
              returned: always
              type: str
              sample: /etc/pki/tls
            path:
              description: The file, in the container.
              returned: always
              type: str
              sample: /certs/tls.crt
            kind:
              description: V(file), V(directory) or V(volume).
              returned: always
              type: str
              sample: directory
            content:
              description:
                - What is there. V(same) file as on the host, another with V(equal) content, an V(old) one that the container
                  holds on to, V(absent) or V(unreadable).
              returned: always
              type: str
              sample: same
            why:
              description: Why it cannot be read.
              returned: when it cannot be read
              type: str
              sample: "cannot read '/certs/tls.crt' in container 'web': it is not a regular file"
        copies:
          description: The copies that Kolla made.
          returned: when there are any
          type: list
          elements: dict
          contains:
            source:
              description: What is copied, in the container.
              returned: always
              type: str
              sample: /var/lib/kolla/config_files/haproxy.pem
            destination:
              description: Where to.
              returned: always
              type: str
              sample: /etc/haproxy/haproxy.pem
            fresh:
              description: Whether it is what the file of the host is now.
              returned: always
              type: bool
              sample: false
        strategy:
          description: When Kolla copies. V(COPY_ALWAYS) or V(COPY_ONCE).
          returned: when the container says so
          type: str
          sample: COPY_ALWAYS
        listeners:
          description: What its processes serve.
          returned: when they listen
          type: list
          elements: dict
          contains:
            at:
              description: Address and port, in the container's network.
              returned: always
              type: str
              sample: "0.0.0.0:443"
            program:
              description: The program.
              returned: always
              type: str
              sample: haproxy
            before:
              description: SHA-256 of the certificate that it served at first.
              returned: when it served one
              type: str
              sample: "12:34:…"
            verdict:
              description:
                - What that is. V(new), V(replaced) as O(replaces) says, V(same_names) for the same subject and names, or V(other).
              returned: when it served one
              type: str
              sample: replaced
            after:
              description: SHA-256 of the certificate that it served in the last proof.
              returned: when it was proven
              type: str
              sample: "AB:CD:…"
            by:
              description: The process that answered, as the host counts.
              returned: when it is known
              type: int
              sample: 4711
            why:
              description: Why there is none.
              returned: when it served none
              type: str
              sample: "127.0.0.1:80 does not speak TLS at once"
    decision:
      description: V(act), V(fresh), V(unrelated) or V(skip).
      returned: always
      type: str
      sample: act
    action:
      description:
        - The first thing that is done, or would be. V(exchange) in HAProxy's memory, V(signal), V(exec), V(say) over TLS,
          V(display) for the VNC server of a guest, V(reload), V(restart) or V(wait).
      returned: when the decision is act
      type: str
      sample: signal
    why:
      description: Why.
      returned: always
      type: str
      sample: "haproxy at 0.0.0.0:443 serves 12:34:…; haproxy reads its files again on HUP"
    actions:
      description: All that was done, in order.
      returned: when it was reached
      type: list
      elements: str
      sample: [sync, signal HUP]
    restarted:
      description: Whether it was restarted.
      returned: when it was reached
      type: bool
      sample: false
    dependents:
      description: The containers of its network that were restarted after it.
      returned: when there are any
      type: list
      elements: str
      sample: [sidecar]
    started_at:
      description: When its present life began.
      returned: when it began
      type: str
      sample: "2026-11-25T18:00:00.123456789Z"
    proven:
      description: Whether the proof succeeded.
      returned: when it was reached
      type: bool
      sample: true
    ms:
      description: Milliseconds that all of it took.
      returned: when it was reached
      type: int
      sample: 85
acted:
  description: The containers to which something was done.
  returned: when it could be looked for
  type: list
  elements: str
  sample: [haproxy]
planned:
  description: The containers to which something would be done.
  returned: in check mode
  type: list
  elements: str
  sample: [haproxy]
proven:
  description: The containers that were proven to serve it after something was done.
  returned: when it could be looked for
  type: list
  elements: str
  sample: [haproxy]
unproven:
  description: The containers to which something was done and of which nothing can tell what they serve.
  returned: when it could be looked for
  type: list
  elements: str
  sample: []
left_alone:
  description: The containers that were left alone.
  returned: when it could be looked for
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      returned: always
      type: str
      sample: backup
    reason:
      description: Why.
      returned: always
      type: str
      sample: "it is paused"
  sample: []
untouched:
  description: The containers that need something done and were not reached, because of a failure.
  returned: when it could be looked for
  type: list
  elements: str
  sample: []
failures:
  description: What failed, each with the name of the container or of the certificate.
  returned: when it could be looked for
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      returned: always
      type: str
      sample: haproxy
    kind:
      description: As in RV(error.kind).
      returned: always
      type: str
      sample: verify.not_served
    msg:
      description: What failed, and why.
      returned: always
      type: str
      sample: "container 'haproxy' does not serve the certificate AB:CD:… after 30 s: 0.0.0.0:443 serves 12:34:…"
    hint:
      description: What to do.
      returned: where there is something to say
      type: str
      sample: "look at the program's configuration: it may read its certificate elsewhere"
  sample: []
faults:
  description: Every fault of the options.
  returned: when the options are wrong
  type: list
  elements: dict
  contains:
    path:
      description: Where.
      returned: always
      type: str
      sample: containers[0]
    message:
      description: What is wrong there.
      returned: always
      type: str
      sample: "'web*' is no name of a container; names are exact, not patterns"
msg:
  description: One sentence for people.
  returned: always
  type: str
  sample: "certificate 'haproxy': haproxy: signal HUP, proven; 2 do not use it"
error:
  description: Why the task failed.
  returned: on failure
  type: dict
  contains:
    kind:
      description:
        - V(input.invalid), the options are wrong; see RV(faults). V(containers.failed), several failed in different ways; see
          RV(failures). Else the kind of the only one.
        - "The engine: V(engine.none), V(engine.down), V(engine.slow), V(engine.answer), V(engine.refused), V(program.failed). Pacemaker:
          V(cluster.answer)."
        - "Before anything is touched: V(preflight.file), V(preflight.unreadable), V(preflight.expired),
          V(preflight.not_yet_valid), V(preflight.no_names), V(preflight.key_mismatch), V(preflight.not_readable),
          V(preflight.validation), V(container.missing), V(container.not_running), V(container.no_unit), V(container.no_bundle),
          V(container.recreate), V(cluster.refused), V(cluster.managed), V(cluster.unknown), V(cluster.none), V(lock.held)."
        - "Meanwhile: V(container.gone), V(container.replaced), V(container.file), V(container.signal), V(action.failed),
          V(cluster.failed), V(lock.lost)."
        - "Afterwards: V(verify.not_served), V(verify.not_up), V(verify.unhealthy), V(verify.unproven)."
        - Kinds that begin with V(probe.) say that sockets or processes of this host cannot be looked at.
        - V(program.no_architecture), the collection has no program for the target. V(program.not_placed), the program could
          not be put on the target. V(program.no_answer), it ended without an answer.
      returned: always
      type: str
      sample: verify.not_served
    caused_by:
      description: The chain of causes.
      returned: always
      type: list
      elements: str
      sample: []
    hint:
      description: What to do.
      returned: where there is something to say
      type: str
      sample: "correct 'containers'; missing: skip takes what is there"
"""

from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import CONTAINER_RESTART
from ansible_collections.tls.everywhere.plugins.module_utils.native_program import run


def main():
    """Hands an asynchronous task to the program; all others are run by the action plugin."""
    run('container_restart', CONTAINER_RESTART)


if __name__ == "__main__":
    main()

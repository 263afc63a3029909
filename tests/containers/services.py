# SPDX-License-Identifier: Apache-2.0
"""Real services in containers, each with its certificate mounted as deployers mount it."""

from __future__ import annotations

import dataclasses
import itertools
import json
import pathlib
import shlex
import shutil
import socket

from certificates import Pair, fingerprint_served
from engines import until

HERE = pathlib.Path(__file__).parent

# As TripleO has it: its socket may only be looked at.
HAPROXY = """
global
  stats socket {run}/haproxy.sock mode 600 level user
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 2s
frontend tls
  bind {address}:{port} ssl crt {certs}/tls.pem
  http-request return status 200
"""

# As Kolla and OpenStack-Ansible have it.
HAPROXY_ADMIN = HAPROXY.replace("level user", "level admin")

NGINX = """
user root;
worker_processes 1;
pid /run/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  server {{
    listen {address}:{port} ssl;
    ssl_certificate {certs}/tls.crt;
    ssl_certificate_key {certs}/tls.key;
    location / {{ return 200; }}
  }}
}}
"""

HTTPD = """
ServerRoot /etc/apache2
ServerName localhost
PidFile /run/httpd.pid
ErrorLog /dev/stderr
Listen {address}:{port}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
SSLEngine on
SSLCertificateFile {certs}/tls.crt
SSLCertificateKeyFile {certs}/tls.key
"""

STUNNEL = """
foreground = yes
pid = /run/stunnel.pid
[tls]
accept = {address}:{port}
connect = 127.0.0.1:9
cert = {certs}/tls.pem
"""

MARIADB = """
[mariadbd]
user = root
datadir = /tmp/mariadb
socket = /tmp/mariadb.sock
bind-address = {address}
port = {port}
ssl_cert = {certs}/tls.crt
ssl_key = {certs}/tls.key
"""

# A cluster of one. The port of the cluster has TLS with the same certificate.
GALERA = MARIADB + """
binlog_format = ROW
wsrep_on = ON
wsrep_provider = /usr/lib/galera/libgalera_smm.so
wsrep_cluster_address = gcomm://
wsrep_node_address = 127.0.0.1
wsrep_provider_options = "gmcast.listen_addr=tcp://127.0.0.1:4567;socket.ssl=yes;\
socket.ssl_cert={certs}/tls.crt;socket.ssl_key={certs}/tls.key;socket.ssl_ca={certs}/tls.crt"
"""

LIBVIRTD = """
listen_tls = 1
listen_tcp = 0
tls_port = "{port}"
listen_addr = "{address}"
auth_unix_rw = "none"
auth_tls = "none"
tls_no_verify_certificate = 1
"""

RABBITMQ = """
listeners.tcp = none
listeners.ssl.default = {address}:{port}
ssl_options.certfile = {certs}/tls.crt
ssl_options.keyfile = {certs}/tls.key
ssl_options.verify = verify_none
"""

REDIS = "--port 0 --tls-port {port} --bind {address} --protected-mode no --save '' --tls-auth-clients no" \
        " --tls-cert-file {certs}/tls.crt --tls-key-file {certs}/tls.key --tls-ca-cert-file {certs}/tls.crt"


@dataclasses.dataclass(frozen=True)
class Kind:
    """How a service is started; {config} is its configuration, {port}, {address} and {certs} are what they say;
    `image` is the smallest image that has it."""

    command: str
    config: str = ""
    starttls: str | None = None
    image: str = "svc"
    port: int = 8443
    # Whether its certificate must be of an authority, and none itself.
    has_authority: bool = False
    options: tuple = ()
    seconds: int = 60


SCHEMA = '{{"name": "Test", "version": "1.0.0", "tables": {{"Test": {{"columns": {{"name": {{"type": "string"}}}}}}}}}}'

# As Debian and Kolla install it: root and mysql are let in over the socket if they are these users.
INSTALL = "mariadb-install-db --no-defaults --datadir=/tmp/mariadb --skip-test-db --auth-root-authentication-method=socket" \
          " --auth-root-socket-user=mysql >/dev/null"
# QEMU takes a directory in which the files have these names.
QEMU = "mkdir /tls && ln -s {certs}/tls.crt /tls/server-cert.pem && ln -s {certs}/tls.key /tls/server-key.pem && ln -s {certs}/ca.crt /tls/ca-cert.pem"
# Where libvirt looks by itself. Its `server-update-tls` looks there only, whatever its configuration says (measured, 9.0).
LIBVIRT_FILES = "mkdir -p /etc/pki/CA /etc/pki/libvirt/private && ln -s {certs}/ca.crt /etc/pki/CA/cacert.pem" \
                " && ln -s {certs}/tls.crt /etc/pki/libvirt/servercert.pem && ln -s {certs}/tls.key /etc/pki/libvirt/private/serverkey.pem"
VNC = "exec qemu-system-x86_64 -machine none -nodefaults -display none -object tls-creds-x509,id=tls,dir=/tls,endpoint=server,verify-peer=no" \
      " -vnc {address}:43,tls-creds=tls"
# The same as a domain of libvirt, which then holds its monitor.
DOMAIN = """
<domain type='qemu'>
  <name>guest</name>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <emulator>{qemu}</emulator>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    <graphics type='vnc' port='{port}' listen='{address}'/>
    <video><model type='none'/></video>
  </devices>
</domain>
"""
# Nothing of this is open to a container without privileges.
GUEST_CONF = ('user = "root"', 'group = "root"', 'security_driver = "none"', "namespaces = []", "cgroup_controllers = []", "remember_owner = 0",
              'stdio_handler = "file"', "vnc_tls = 1", 'vnc_tls_x509_cert_dir = "/tls"')
GUEST = f"{QEMU} && mkdir -p /run/libvirt /etc/libvirt && printf '%s\\n' {' '.join(map(shlex.quote, GUEST_CONF))} >/etc/libvirt/qemu.conf" \
        " && {{ libvirtd & until virsh -c qemu:///system create {config}; do sleep 0.5; done; wait; }}"
OVSDB = "mkdir -p /var/run/openvswitch && ovsdb-tool create /tmp/db {config} && exec ovsdb-server /tmp/db --remote=pssl:{port}:{address}" \
        " --private-key={certs}/tls.key --certificate={certs}/tls.crt --ca-cert={certs}/tls.crt"

KINDS = {
    "haproxy": Kind("exec haproxy -W -db -f {config}", HAPROXY, image="proxy"),
    "haproxy-admin": Kind("exec haproxy -W -db -f {config}", HAPROXY_ADMIN, image="proxy"),
    # As some images run it: one process, which only logs when it gets HUP.
    "haproxy-without-master": Kind("exec haproxy -db -f {config}", HAPROXY, image="proxy"),
    "haproxy-admin-without-master": Kind("exec haproxy -db -f {config}", HAPROXY_ADMIN, image="proxy"),
    "nginx": Kind("exec nginx -g 'daemon off;' -c {config}", NGINX),
    "httpd": Kind("exec apache2 -D FOREGROUND -f {config}", HTTPD),
    "stunnel": Kind("exec stunnel {config}", STUNNEL),
    "redis": Kind(f"exec redis-server {REDIS}"),
    "valkey": Kind(f"exec valkey-server {REDIS}", image="newer"),
    "memcached": Kind("exec memcached -u root -l {address} -p {port} -Z -o ssl_chain_cert={certs}/tls.crt,ssl_key={certs}/tls.key"),
    "mariadb": Kind(f"{INSTALL} && exec mariadbd --defaults-file={{config}}", MARIADB, starttls="mysql", seconds=120),
    # By the name that its process has on CentOS.
    "galera": Kind(f"{INSTALL} && exec mysqld --defaults-file={{config}} --wsrep-new-cluster", GALERA, starttls="mysql", seconds=120),
    "rabbitmq": Kind("cp {config} /etc/rabbitmq/rabbitmq.conf && exec rabbitmq-server", RABBITMQ, seconds=180,
                     options=("--env", "RABBITMQ_NODENAME=rabbit@localhost", "--env", "ERL_EPMD_ADDRESS=127.0.0.1")),
    "etcd": Kind("exec etcd --data-dir /tmp/etcd --cert-file {certs}/tls.crt --key-file {certs}/tls.key"
                 " --listen-client-urls https://{address}:{port} --advertise-client-urls https://127.0.0.1:{port}"
                 " --listen-peer-urls http://127.0.0.1:2380"),
    "ovsdb": Kind(OVSDB, SCHEMA),
    "libvirtd": Kind(f"{LIBVIRT_FILES} && mkdir -p /run/libvirt && exec libvirtd --listen --config {{config}}", LIBVIRTD, image="virt", has_authority=True),
    "qemu": Kind(f"{QEMU} && {VNC} -qmp unix:/run/qmp.sock,server=on,wait=off", image="virt", has_authority=True, starttls="vnc", port=5943),
    "guest": Kind(GUEST, DOMAIN, image="virt", has_authority=True, starttls="vnc", port=5943),
    "qemu-without-monitor": Kind(f"{QEMU} && {VNC}", image="virt", has_authority=True, starttls="vnc", port=5943),
}

_numbers = itertools.count(1)


class Service:
    """A service in a container, and the pair that it shall serve."""

    def __init__(self, container, pair, port, kind):
        self.container = container
        self.pair = pair
        self.port = port
        self.kind = kind

    def __repr__(self):
        return repr(self.container)

    def served(self):
        """The fingerprint that a client gets now."""
        return fingerprint_served(self.container, self.port, self.pair.name, KINDS[self.kind].starttls)

    def serves(self, wanted, seconds=None):
        """Wait until it serves a certificate; a fingerprint."""
        try:
            until(f"{self} serves {wanted}", lambda: self.served() == wanted, seconds or KINDS[self.kind].seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it serves {self.served()}: {self.container.logs()[-2000:]}") from None

    def served_by_nobody(self):
        """Its container has no process that could serve."""
        return self.container.pid() == 0

    def keeps(self, wanted, times=5):
        """It serves this and nothing else, several times."""
        assert [self.served() for _ in range(times)] == [wanted] * times


def free_port():
    """A port of the host that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(engine, work, kind, mount="directory", port=None, address="0.0.0.0", options=(), wrap=None, image=None, wait=True,
          name=None, pair=None):
    """Run a service. `mount` says how its certificate gets in:

    - `directory`: the directory is mounted;
    - `file`: each file is mounted for itself;
    - `kolla`: the directory is mounted where Kolla has it, and copied to its place at every start (COPY_ALWAYS);
    - `kolla-once`: the same, copied at the first start only (COPY_ONCE).

    `wrap` is another command than the usual one, `image` another image than the smallest that has the program,
    `pair` one that is there already, as several services of one certificate have it.
    """
    name = name or f"{kind}-{next(_numbers)}"
    work = pathlib.Path(work) / name
    how = KINDS[kind]
    port = port or how.port
    pair = pair or Pair(work / "certs", has_authority=how.has_authority)
    values = {"port": port, "address": address, "certs": "/certs", "run": "/tmp", "config": "/config/service.conf",
              "qemu": shutil.which("qemu-system-x86_64")}
    (work / "config").mkdir(parents=True)
    (work / "config/service.conf").write_text(how.config.format(**values))
    mounts = [f"{work}/config:/config:ro", *certificate_mounts(work, pair, mount)]
    script = (wrap or how.command).format(**values)
    settings = [*how.options, *options]
    if mount.startswith("kolla"):
        script = f"python3 /kolla/set_configs.py && {{ {script}; }}"
        settings += ["--env", f"KOLLA_CONFIG_STRATEGY={'COPY_ONCE' if mount == 'kolla-once' else 'COPY_ALWAYS'}"]
    image = image or ("svc" if mount.startswith("kolla") else how.image)
    container = engine.run(name, image, "sh", "-c", script, mounts=mounts, options=settings)
    service = Service(container, pair, port, kind)
    if wait:
        service.serves(pair.fingerprint())
    return service


def certificate_mounts(work, pair, mount):
    """The mounts of the certificate, as the engines' command lines take them."""
    if mount == "directory":
        return [f"{pair.directory}:/certs:ro"]
    if mount == "file":
        return [f"{path}:/certs/{path.name}:ro" for path in (pair.certificate, pair.key, pair.combined)]
    assert mount in ("kolla", "kolla-once"), mount
    inside = "/var/lib/kolla/config_files"
    copies = [{"source": f"{inside}/src-tls/tls.*", "dest": "/certs/", "owner": "root", "perm": "0600"}]
    (work / "config.json").write_text(json.dumps({"command": "none", "config_files": copies}))
    return [f"{pair.directory}:{inside}/src-tls:ro", f"{work}/config.json:{inside}/config.json:ro", f"{HERE}/kolla:/kolla:ro"]

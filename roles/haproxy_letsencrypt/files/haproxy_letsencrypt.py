#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Renews HAProxy's certificates without Ansible, and has HAProxy serve what its files hold.

haproxy_letsencrypt renew FILE    asks the ACME server where something is due, then serves; the timer runs it
haproxy_letsencrypt serve FILE    only has HAProxy serve what the files hold now; --changed: they have just been written

FILE is written by the role tls.everywhere.haproxy_letsencrypt. Nothing but Python's own library is needed.
"""

import hashlib
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time

CERTIFICATE = re.compile(r'-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----', re.DOTALL)
PROOF_SECONDS = 30
SOCKET_SECONDS = 10
# An order may wait for its server; systemd has no limit for a oneshot unit.
RENEW_SECONDS = 3600


class Trouble(Exception):
    """What went wrong, for the journal."""


def say(text):
    print('haproxy_letsencrypt: ' + text, flush=True)


# The certificates.

def ask(settings):
    """Runs cert_request; whether it changed anything, and what failed."""
    wish = settings['cert_request']
    for entry, files in zip(wish['certificates'], settings['certificates']):
        renew = entry.setdefault('renew', {})
        renew.update(hastened(files, renew))
    try:
        done = subprocess.run([settings['program'], '-'], input=json.dumps(wish), stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
                              timeout=RENEW_SECONDS, check=False)
        answer = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Trouble("'%s' cannot be run: %s" % (settings['program'], error))
    except ValueError:
        raise Trouble("'%s' ended with status %d and gave no answer: %s" % (settings['program'], done.returncode, done.stderr.strip()))
    for name, each in sorted((answer.get('certificates') or {}).items()):
        why = '; '.join(reason['detail'] for reason in each.get('reasons') or [])
        say("'%s': %s%s" % (name, each.get('action'), ': ' + why if why else ''))
    for warning in answer.get('warnings') or []:
        say('warning: %s' % warning)
    failed = [str(answer.get('msg'))] if answer.get('failed') else []
    return bool(answer.get('changed')), failed


def hastened(files, renew):
    """What the state of the files adds to `renew`; the same words as in haproxy_plan.py of the collection."""
    if not os.path.exists(files['fullchain']):
        # Never issued: what HAProxy has is a placeholder, however valid it looks.
        return {'force': True}
    try:
        adopted = leaf(files['fullchain']) == leaf(files['certbot'])
    except Trouble:
        adopted = False
    # What certbot got stays until it is due.
    return {'on': [word for word in renew.get('on') or ['expiry', 'names', 'revoked'] if word not in ('issuer', 'key')]} if adopted else {}


def leaf(path):
    """The certificate in HAProxy's file, as DER."""
    try:
        with open(path) as file:
            found = CERTIFICATE.search(file.read())
    except OSError as error:
        raise Trouble("'%s' cannot be read: %s" % (path, error.strerror))
    if not found:
        raise Trouble("'%s' holds no certificate" % path)
    return ssl.PEM_cert_to_DER_cert(found.group(0))


def sha1(der):
    """As HAProxy tells it. Where the host allows no SHA-1 for signatures (FIPS), names of things may still be made of it, since Python 3.9."""
    try:
        found = hashlib.sha1(der, usedforsecurity=False)
    except TypeError:
        found = hashlib.sha1(der)
    return found.hexdigest().upper()


# HAProxy's socket.

class Runtime:
    """HAProxy's runtime API. It tells what is loaded, and takes a new certificate where it has the level admin."""

    def __init__(self, path):
        self.path = path

    def ask(self, text):
        """One command, one answer. A connection ends with its answer."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            peer.settimeout(SOCKET_SECONDS)
            peer.connect(self.path)
            peer.sendall(text.encode('ascii') + b'\n')
            found = b''
            while True:
                part = peer.recv(65536)
                if not part:
                    return found.decode('utf-8', 'replace')
                found += part

    def names(self):
        """What HAProxy calls its files, by their plain paths."""
        lines = [line.strip() for line in self.ask('show ssl cert').splitlines()]
        return {os.path.normpath(line): line for line in lines if line.startswith('/')}

    def loaded(self, name):
        """The SHA-1 of what is loaded from a file."""
        found = re.search(r'^SHA1 FingerPrint: ([0-9A-F]{40})$', self.ask('show ssl cert ' + name), re.MULTILINE)
        return found.group(1) if found else None

    def exchange(self, name, path):
        """Gives HAProxy the file as it is now: no process is new and no connection ends. Whether it took it."""
        with open(path) as file:
            text = '\n'.join(line for line in file.read().splitlines() if line.strip())
        said = self.ask('set ssl cert %s <<\n%s\n' % (name, text))
        if 'Transaction' in said:
            said = self.ask('commit ssl cert ' + name)
            if 'Success!' in said:
                return True
            self.ask('abort ssl cert ' + name)
        say("HAProxy did not take '%s' at '%s', so it is reloaded: %s" % (path, self.path, ' '.join(said.split())))
        return False


def runtime(settings):
    """The first of HAProxy's sockets that answers."""
    for path in settings['sockets']:
        found = Runtime(path)
        try:
            found.names()
        except OSError:
            continue
        return found
    return None


# What is served.

def served(address, port, name):
    """The certificate that is served at an address of this very node, else None: behind an address that is elsewhere now is another node's HAProxy."""
    address = {'*': '127.0.0.1', '0.0.0.0': '127.0.0.1', '::': '::1'}.get(address, address)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The fingerprint is compared, nothing is sent.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((address, port), timeout=5) as plain:
            if plain.getsockname()[0] != plain.getpeername()[0]:
                return None
            with context.wrap_socket(plain, server_hostname=name.replace('*', 'www', 1)) as peer:
                return peer.getpeercert(binary_form=True)
    except (OSError, ValueError):
        return None


class Files:
    """HAProxy's files with the certificate in each, and who can tell what is served of them."""

    def __init__(self, settings):
        self.settings = settings
        self.pems = [(pem['path'], pem['address'], each['name']) for each in settings['certificates'] for pem in each['pems']]
        self.leaves = {path: leaf(path) for path, _address, _name in self.pems}

    def stale(self):
        """The files of which HAProxy has another content, with the reason; and those of which nobody could tell."""
        talk = runtime(self.settings)
        names = talk.names() if talk else {}
        stale, unproven = {}, []
        for path, address, name in self.pems:
            wanted = self.leaves[path]
            if os.path.normpath(path) in names:
                if talk.loaded(names[os.path.normpath(path)]) != sha1(wanted):
                    stale[path] = 'HAProxy has loaded another certificate'
                continue
            seen = served(address, self.settings['port'], name)
            if seen is None:
                unproven.append(path)
            elif seen != wanted:
                stale[path] = 'another certificate is served at %s:%s' % (address, self.settings['port'])
        return stale, unproven

    def exchange(self, paths):
        """Gives HAProxy the files over its socket; whether it took all."""
        talk = runtime(self.settings)
        names = talk.names() if talk else {}
        if not all(os.path.normpath(path) in names for path in paths):
            return False
        # Each is given, also after one that was not taken.
        taken = [talk.exchange(names[os.path.normpath(path)], path) for path in sorted(paths)]
        return all(taken)

    def reload(self):
        done = subprocess.run(self.settings['reload'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, check=False)
        if done.returncode:
            said = (' '.join(self.settings['reload']), done.returncode, done.stdout.strip())
            raise Trouble("'%s' ended with status %d, HAProxy keeps what it has: %s" % said)

    def proven(self):
        """Waits until nobody tells of an old certificate."""
        end = time.monotonic() + PROOF_SECONDS
        while True:
            stale, unproven = self.stale()
            if not stale:
                return unproven
            if time.monotonic() > end:
                return self.give_up(stale)
            time.sleep(0.2)

    @staticmethod
    def give_up(stale):
        raise Trouble('; '.join("'%s': still, after %d s: %s" % (path, PROOF_SECONDS, why) for path, why in sorted(stale.items())))


def serve(settings, changed):
    """Has HAProxy serve what the files hold, by the gentlest means, and proves it. Whether anything was done."""
    files = Files(settings)
    stale, unproven = files.stale()
    if not stale and not (changed and unproven):
        return False
    if stale and not unproven and files.exchange(stale):
        say('HAProxy was given %s over its socket' % ', '.join(sorted(stale)))
        stale, _unproven = files.stale()
    if stale or unproven:
        files.reload()
        say('HAProxy was reloaded')
    for path in files.proven():
        say("'%s': nobody tells whether HAProxy serves it; it was reloaded" % path)
    for command in settings['after']:
        if subprocess.run(['/bin/sh', '-c', command], check=False).returncode:
            raise Trouble("'%s' failed" % command)
    return True


def main(arguments):
    if len(arguments) < 2 or arguments[0] not in ('renew', 'serve'):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with open(arguments[1]) as file:
            settings = json.load(file)
    except (OSError, ValueError) as error:
        say('error: %s' % error)
        return 1
    changed, failed = '--changed' in arguments, []
    if arguments[0] == 'renew':
        try:
            changed, failed = ask(settings)
        except Trouble as trouble:
            failed = [str(trouble)]
    try:
        done = serve(settings, changed)
        if not failed:
            say('HAProxy serves the new certificate' if done else 'HAProxy serves what its files hold')
    except (Trouble, OSError) as error:
        failed.append(str(error))
    for text in failed:
        say('error: ' + text)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: pki_role
short_description: The steps of the role tls.everywhere.pki
version_added: 0.1.0
author:
  - tls.everywhere contributors (!UNKNOWN)
description:
  - Works out what the variables of OpenStack-Ansible's PKI role ask for, has P(tls.everywhere.pki_ca#module) and
    P(tls.everywhere.cert_request#module) do it for all hosts of a play at once, and installs the files of each host in one task.
  - It serves the role P(tls.everywhere.pki#role) and is of no use by itself; its options may change with that role.
  - Files are installed as a set. All are written beside their destination with owner, mode and SELinux context before
    they have content, then renamed, keys first; if one cannot be, none is.
  - Contents are never in the results, differences or logs.
options:
  step:
    description: What to do. Steps V(read) and V(install) run on the host of the task, the others on the controller or through the modules named above.
    type: str
    required: true
    choices: [plan, authorities, certificates, judge, read, install, host_state, host_request, host_sign, host_complete, host_retire]
  lists:
    description: Step V(plan). Which lists of the role to work out.
    type: list
    elements: str
    default: []
    choices: [authorities, certificates, install_certificates, install_ca]
  settings:
    description: Step V(plan). The variables of the role that are not lists.
    type: dict
    default: {}
  read:
    description: Paths of files whose content is returned. Set by the action plugin.
    type: list
    elements: path
    default: []
  roots:
    description: Directory of the authorities whose certificates are returned too, by their generation. Set by the action plugin.
    type: path
  leaves:
    description: Directory of the certificates that are returned too, without their chains and bundles. Set by the action plugin.
    type: path
  install:
    description: Files to be installed. Set by the action plugin.
    type: list
    elements: dict
    default: []
    suboptions:
      dest:
        description: Absolute path of the file.
        type: path
        required: true
      content:
        description: The content, base64.
        type: str
        required: true
      secret:
        description: Whether it holds a private key.
        type: bool
        default: false
      owner:
        description: Name or number of its owner.
        type: str
      group:
        description: Name or number of its group.
        type: str
      mode:
        description: Its mode.
        type: raw
  absent:
    description: Files to be removed. Set by the action plugin.
    type: list
    elements: path
    default: []
  retire:
    description: Files that get the ending C(.replaced). Set by the action plugin.
    type: list
    elements: path
    default: []
  exist:
    description: Paths of which it is only told whether they exist. Set by the action plugin.
    type: list
    elements: path
    default: []
  directories:
    description: Directories that shall exist. Set by the action plugin.
    type: list
    elements: path
    default: []
  directory_mode:
    description: Mode of directories that are missing. Those that exist keep theirs.
    type: raw
    default: "0755"
attributes:
  check_mode:
    support: full
    description: Says what would change and changes nothing.
  diff_mode:
    support: full
    description: Shows which files change, never what is in them.
"""

EXAMPLES = r"""
- name: As the role does it
  ansible.builtin.include_role:
    name: tls.everywhere.pki
    tasks_from: main_certs.yml
"""

RETURN = r"""
files:
  description: Step V(install), which files were changed.
  returned: success
  type: list
  elements: str
  sample: [/etc/rabbitmq/rabbitmq.pem]
"""

import base64
import errno
import glob
import grp
import os
import pwd
import re
import stat
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_bytes, to_native

SUBOPTIONS = dict(
    dest=dict(type='path', required=True),
    content=dict(type='str', required=True, no_log=True),
    secret=dict(type='bool', default=False),
    owner=dict(type='str'),
    group=dict(type='str'),
    mode=dict(type='raw'),
)
STEPS = [
    'plan', 'authorities', 'certificates', 'judge', 'read', 'install',
    'host_state', 'host_request', 'host_sign', 'host_complete', 'host_retire',
]
# No certificate or key is longer; /dev/zero is.
LONGEST = 16 * 1024 * 1024


class Refused(Exception):
    """What cannot be done with which file."""


def number(name, lookup, what):
    """The number of a user or group; -1 leaves it as it is."""
    if name is None:
        return -1
    try:
        return lookup(name)
    except KeyError:
        if name.isdigit():
            return int(name)
        raise Refused("there is no %s '%s'" % (what, name))


def content_of(path):
    """The bytes of a regular file, None if there is none."""
    try:
        descriptor = os.open(to_bytes(path), os.O_RDONLY | os.O_NONBLOCK)
    except (IOError, OSError) as error:
        if error.errno == errno.ENOENT:
            return None
        raise
    with os.fdopen(descriptor, 'rb') as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Refused('is not a regular file')
        content = file.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise Refused('is longer than 16 MiB')
    return content


def leaves(directory):
    """The certificates of the tree by their names, base64."""
    found = {}
    for path in sorted(glob.glob(os.path.join(directory, '*.crt'))) if directory else []:
        name = os.path.basename(path)[:-len('.crt')]
        if not name.endswith(('-chain', '-ca_bundle')):
            found[name] = to_native(base64.b64encode(content_of(path)))
    return found


def read(paths, roots):
    """The contents of files, base64, and why others have none; the certificates of each authority by generation."""
    files, problems, generations = {}, {}, {}
    for path in paths:
        try:
            content = content_of(path)
        except (IOError, OSError, Refused) as error:
            problems[path] = "cannot read '%s': %s" % (path, getattr(error, 'strerror', None) or to_native(error))
            continue
        if content is None:
            problems[path] = "'%s' does not exist" % path
        else:
            files[path] = to_native(base64.b64encode(content))
    for directory in sorted(glob.glob(os.path.join(roots, '*', 'certs'))) if roots else []:
        name = os.path.basename(os.path.dirname(directory))
        found = {}
        for entry in sorted(os.listdir(directory)):
            match = re.match(re.escape(name) + r'(?:-([0-9]+))?\.crt$', entry)
            content = content_of(os.path.join(directory, entry)) if match else None
            if content is not None:
                found[match.group(1) or 'current'] = to_native(base64.b64encode(content))
        generations[name] = found
    return dict(changed=False, contents=files, problems=problems, generations=generations)


class Change(object):
    """One file on its way to its destination."""

    def __init__(self, module, wish):
        self.module = module
        self.wish = wish
        self.dest = wish['dest']
        self.content = base64.b64decode(wish['content'])
        self.temporary = self.undo = None
        self.drift = []
        self.uid = number(wish['owner'], lambda name: pwd.getpwnam(name).pw_uid, 'user')
        self.gid = number(wish['group'], lambda name: grp.getgrnam(name).gr_gid, 'group')
        if os.path.isdir(to_bytes(self.dest)):
            raise Refused('is a directory')
        self.before = content_of(self.dest)
        self.differs = self.before != self.content
        if not self.differs:
            self.compare_attributes()

    def mode(self, status):
        """The wished mode as a number; symbolic ones refer to the status."""
        wish = self.wish['mode']
        if isinstance(wish, int):
            return wish
        try:
            return int(wish, 8)
        except ValueError:
            return self.module._symbolic_mode_to_octal(status, wish)

    def compare_attributes(self):
        """Owner, group, mode and SELinux context, as far as they are wished."""
        status = os.stat(to_bytes(self.dest))
        wished = [('owner', status.st_uid, self.uid), ('group', status.st_gid, self.gid)]
        for what, has, wish in wished:
            if wish not in (-1, has):
                self.drift.append('%s %d -> %d' % (what, has, wish))
        mode = stat.S_IMODE(status.st_mode)
        if self.wish['mode'] is not None and self.mode(status) != mode:
            self.drift.append('mode %04o -> %04o' % (mode, self.mode(status)))

    def check_directory(self):
        """A key may not go where everybody can replace it."""
        directory = os.path.dirname(self.dest)
        try:
            mode = os.stat(to_bytes(directory)).st_mode
        except OSError as error:
            if error.errno == errno.ENOENT:
                return
            raise
        if not stat.S_ISDIR(mode):
            raise Refused("'%s' is not a directory" % directory)
        if self.wish['secret'] and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise Refused("'%s' is writable by everybody; no key is written there" % directory)

    def prepare(self):
        """The new file beside the destination: attributes first, then the content."""
        descriptor, self.temporary = tempfile.mkstemp(prefix='.tls.everywhere.', dir=os.path.dirname(self.dest))
        with os.fdopen(descriptor, 'wb') as file:
            self.set_attributes(descriptor)
            if self.module.selinux_enabled():
                context = self.module.selinux_default_context(self.dest)
                self.module.set_context_if_different(self.temporary, context, False)
            file.write(self.content)
            file.flush()
            os.fsync(descriptor)

    def set_attributes(self, descriptor):
        """As wished; where nothing is, as the old file has them, and a new one is open unless it holds a key."""
        old = os.stat(to_bytes(self.dest)) if self.before is not None else None
        uid = old.st_uid if old and self.uid == -1 else self.uid
        gid = old.st_gid if old and self.gid == -1 else self.gid
        if uid != -1 or gid != -1:
            os.fchown(descriptor, uid, gid)
        if self.wish['mode'] is not None:
            mode = self.mode(old or os.fstat(descriptor))
        else:
            mode = stat.S_IMODE(old.st_mode) if old else 0o600 if self.wish['secret'] else 0o644
        os.fchmod(descriptor, mode)

    def commit(self):
        """The rename; the old file stays under another name until all are through."""
        if os.path.lexists(to_bytes(self.dest)):
            self.undo = self.temporary + '~'
            os.link(self.dest, self.undo)
        os.rename(self.temporary, self.dest)
        self.temporary = None

    def revert(self):
        """The old file again."""
        if self.undo:
            os.rename(self.undo, self.dest)
            self.undo = None
        elif self.temporary is None:
            os.unlink(self.dest)

    def clean(self):
        """Nothing of ours stays beside the destination."""
        for path in (self.temporary, self.undo):
            if path and os.path.lexists(path):
                os.unlink(path)

    def fix(self):
        """Attributes of a file whose content is right."""
        if self.uid != -1 or self.gid != -1:
            os.chown(self.dest, self.uid, self.gid)
        if self.wish['mode'] is not None:
            os.chmod(self.dest, self.mode(os.stat(self.dest)))

    def difference(self):
        """What people see of the change."""
        what = 'a private key' if self.wish['secret'] else '%d bytes' % len(self.content)
        before = 'absent' if self.before is None else 'present'
        after = ', '.join(self.drift) if self.drift else 'holds %s' % what
        return dict(before_header=self.dest, after_header=self.dest, before=before + '\n', after=after + '\n')


def make_directories(directories, mode):
    """Missing directories; those that exist keep their mode."""
    made = []
    for directory in sorted(set(directories)):
        missing = []
        while not os.path.isdir(directory):
            missing.append(directory)
            directory = os.path.dirname(directory)
        for path in reversed(missing):
            os.mkdir(path)
            os.chmod(path, mode if isinstance(mode, int) else int(str(mode), 8))
            made.append(path)
    return made


def replace(changes):
    """All of them or none."""
    done = []
    current = None
    try:
        for current in changes:
            current.prepare()
        for current in sorted(changes, key=lambda change: not change.wish['secret']):
            current.commit()
            done.append(current)
    except (IOError, OSError) as error:
        for change in reversed(done):
            change.revert()
        raise Refused("cannot write '%s': %s" % (current.dest, error.strerror or to_native(error)))
    finally:
        for change in changes:
            change.clean()
    for directory in set(os.path.dirname(change.dest) for change in changes):
        descriptor = os.open(directory, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def planned(module):
    """The wishes as changes; refuses with all their faults at once."""
    changes, faults = [], []
    for wish in module.params['install']:
        try:
            change = Change(module, wish)
            if change.differs:
                change.check_directory()
            changes.append(change)
        except (IOError, OSError, Refused) as error:
            faults.append("'%s': %s" % (wish['dest'], getattr(error, 'strerror', None) or to_native(error)))
    if faults:
        raise Refused('; '.join(faults))
    return changes


def install(module):
    """The files of this host."""
    changes = planned(module)
    written = [change for change in changes if change.differs]
    fixed = [change for change in changes if change.drift]
    removed = [path for path in module.params['absent'] if os.path.lexists(to_bytes(path))]
    retired = [path for path in module.params['retire'] if os.path.lexists(to_bytes(path))]
    directories = module.params['directories'] + [os.path.dirname(change.dest) for change in written]
    missing = [path for path in directories if not os.path.isdir(path)]
    if not module.check_mode:
        try:
            make_directories(missing, module.params['directory_mode'])
        except (IOError, OSError) as error:
            raise Refused("cannot make the directory '%s': %s" % (error.filename, error.strerror))
        if written:
            replace(written)
        for path in retired:
            os.rename(path, path + '.replaced')
        for change in fixed:
            change.fix()
        for path in removed:
            os.unlink(path)
    names = sorted([change.dest for change in written + fixed] + removed + retired)
    return dict(changed=bool(names or missing), files=names, diff=[change.difference() for change in written + fixed])


def main():
    """Runs on the setup host (read) and on the targets (install)."""
    module = AnsibleModule(
        argument_spec=dict(
            step=dict(type='str', required=True, choices=STEPS),
            lists=dict(type='list', elements='str', default=[], choices=['authorities', 'certificates', 'install_certificates', 'install_ca']),
            settings=dict(type='dict', default={}),
            read=dict(type='list', elements='path', default=[]),
            roots=dict(type='path'),
            leaves=dict(type='path'),
            install=dict(type='list', elements='dict', default=[], options=SUBOPTIONS),
            absent=dict(type='list', elements='path', default=[]),
            retire=dict(type='list', elements='path', default=[]),
            exist=dict(type='list', elements='path', default=[]),
            directories=dict(type='list', elements='path', default=[]),
            directory_mode=dict(type='raw', default='0755'),
        ),
        supports_check_mode=True,
    )
    if module.params['step'] not in ('read', 'install'):
        module.fail_json(msg="step '%s' is done by the action plugin; call it as a task" % module.params['step'])
    try:
        if module.params['step'] == 'read':
            answer = read(module.params['read'], module.params['roots'])
            answer['leaves'] = leaves(module.params['leaves'])
            module.exit_json(exist=[path for path in module.params['exist'] if os.path.lexists(to_bytes(path))], **answer)
        module.exit_json(**install(module))
    except Refused as error:
        module.fail_json(msg=to_native(error))
    except (IOError, OSError) as error:
        module.fail_json(msg="'%s': %s" % (error.filename, error.strerror or to_native(error)))


if __name__ == '__main__':
    main()

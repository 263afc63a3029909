#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: file_set
short_description: Replaces files that belong together, all or none
version_added: 0.1.0
author:
  - tls.everywhere contributors (!UNKNOWN)
description:
  - Writes files whose content the play already has, such as a private key with its certificate and the authorities above it, as sets.
    All files of a set are replaced or none, also if the run is killed or the disk is full; the next run finishes or undoes
    what a killed one left.
  - Files are created with their owner, mode and SELinux context before they have content. No content is in results,
    differences or logs, except that of files that are read by request.
  - It is what P(tls.everywhere.pki#role) installs with, and of use wherever a certificate is made on one host and used on another.
  - One bad set does not spoil the others. All are tried, and the task fails if any failed.
options:
  sets:
    description: The wished sets.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: How messages, results and journals call the set. Unique in the task.
        type: str
        required: true
      files:
        description: Its files, at most 200, in the order in which they are put into place. Give keys first.
        type: list
        elements: dict
        required: true
        suboptions:
          path:
            description: Absolute path. A link is followed only within its directory.
            type: path
            required: true
          state:
            description:
              - V(present), the file is there with this content. V(absent), it is gone.
              - V(retired), it is renamed to the same name with the ending C(.replaced), out of service but there for the way
                back; what everybody could do with it is taken away.
            type: str
            default: present
            choices: [present, absent, retired]
          content:
            description: The content as text. Exactly one of O(sets[].files[].content) and O(sets[].files[].content_base64)
              for a file that shall be V(present).
            type: str
          content_base64:
            description: The content as base64, for what is no text.
            type: str
          holds_private_key:
            description:
              - Whether the file is treated as a private key. Nobody else gets access to it, and it is not written into a
                directory that everybody can write to.
              - By default the content tells. It does so for PEM, PKCS#12 and Java key stores.
            type: bool
          owner:
            description: User name or number. Where nothing is said, an existing file keeps its own.
            type: str
          group:
            description: Group name or number. Where nothing is said, an existing file keeps its own.
            type: str
          mode:
            description: Mode, such as V("0640"). Where nothing is said, an existing file keeps its own; a new one gets 0600 if it
              holds a private key, else 0644.
            type: raw
          context:
            description: Whole SELinux context.
            type: str
            aliases: [secontext]
          setype:
            description: Only the type of the SELinux context.
            type: str
          backup:
            description: Whether a copy is kept of a file that is replaced.
            type: bool
            default: false
  directories:
    description: Directories that shall exist. Those that do keep their mode.
    type: list
    elements: path
    default: []
  make_directories:
    description: Whether the missing directories of the files are made.
    type: bool
    default: false
  directory_mode:
    description: Mode of directories that are made.
    type: raw
    default: "0755"
  read:
    description:
      - Files whose content is returned. Give the task C(no_log) if any may hold a key.
      - They are read after the sets are written.
    type: list
    elements: path
    default: []
  read_matching:
    description: Patterns of such files, with V(*), V(?), V([a-z]) and V(**) as in a shell.
    type: list
    elements: str
    default: []
  exist:
    description: Files of which it is only told whether they exist.
    type: list
    elements: path
    default: []
  parallel:
    description: How many sets are worked on at once, 1 to 256. By default as many as there are cores.
    type: int
  lock_timeout:
    description: How long to wait for another run on the same directories, such as V(60s) or V(5m).
    type: str
    default: 60s
extends_documentation_fragment:
  - tls.everywhere.attributes
  - tls.everywhere.attributes.actiongroup
seealso:
  - module: tls.everywhere.cert_request
"""

EXAMPLES = r"""
- name: A key and its certificate, which an earlier task read
  tls.everywhere.file_set:
    sets:
      - name: web
        files:
          - {path: /etc/ssl/private/web.key, content: "{{ web_key }}", group: ssl-cert, mode: "0640"}
          - {path: /etc/ssl/certs/web.pem, content: "{{ web_certificate }}"}

- name: Read what another host shall get
  tls.everywhere.file_set:
    read: [/etc/pki/certs/private/web.key.pem, /etc/pki/certs/certs/web-chain.crt]
  delegate_to: deploy
  run_once: true
  no_log: true
  register: made

- name: Write it, with the directory if that is missing
  tls.everywhere.file_set:
    make_directories: true
    directory_mode: "0750"
    sets:
      - name: web
        files:
          - {path: /etc/rabbitmq/ssl/web.key, content_base64: "{{ made.contents['/etc/pki/certs/private/web.key.pem'] }}", owner: rabbitmq}
          - {path: /etc/rabbitmq/ssl/web.pem, content_base64: "{{ made.contents['/etc/pki/certs/certs/web-chain.crt'] }}"}

- name: Take a key out of service, and remove another
  tls.everywhere.file_set:
    sets:
      - name: old keys
        files:
          - {path: /etc/pki/certs/private/web.key.pem, state: retired}
          - {path: /etc/pki/certs/private/db.key.pem, state: absent}
"""

RETURN = r"""
msg:
  description: One sentence about the run.
  returned: always
  type: str
  sample: "3 sets: 1 written, 2 kept"
sets:
  description: What happened to each set, by its name.
  returned: always, unless the options were refused
  type: dict
  contains:
    changed:
      description: Whether something of it changed, or would in check mode.
      returned: always
      type: bool
      sample: true
    action:
      description: The greatest thing that was done to a file of it. V(keep), V(fix_attributes), V(remove), V(retire), V(write) or V(failed).
      returned: always
      type: str
      sample: write
    reasons:
      description: Why, all of them.
      returned: always
      type: list
      elements: dict
      contains:
        path:
          description: The file.
          returned: always
          type: str
          sample: /etc/ssl/private/web.key
        kind:
          description: V(missing), V(content), V(attributes) or V(surplus).
          returned: always
          type: str
          sample: content
        detail:
          description: The same for people.
          returned: always
          type: str
          sample: has other content
    changed_files:
      description: Files that were made, replaced, repaired, renamed or removed.
      returned: always
      type: list
      elements: str
      sample: [/etc/ssl/certs/web.pem]
    backup_files:
      description: Copies of replaced files.
      returned: where there are any
      type: list
      elements: str
      sample: ["/etc/ssl/certs/web.pem.4711.2026-11-25@18:00:00~"]
    warnings:
      description: What the operator should look at.
      returned: always
      type: list
      elements: str
      sample: []
    error:
      description: Why the set failed, as in RV(failures).
      returned: if it failed
      type: dict
      contains:
        kind:
          description: Stable word.
          returned: always
          type: str
          sample: files.directory_missing
        msg:
          description: The message.
          returned: always
          type: str
          sample: "directory '/etc/ssl/x' does not exist; create it first"
        hint:
          description: What to do.
          returned: where there is something to say
          type: str
          sample: "free space or raise the quota of that file system; the old files are untouched"
failures:
  description: The failed sets, by name.
  returned: always, unless the options were refused
  type: dict
  sample: {}
made_directories:
  description: Directories that were made, or would be.
  returned: always, unless the options were refused
  type: list
  elements: str
  sample: [/etc/rabbitmq/ssl]
contents:
  description: Contents of the files that were asked for, base64, by path.
  returned: always, unless the options were refused
  type: dict
  sample: {/etc/hostname: bm9kZTEK}
problems:
  description: Why a file that was asked for could not be read, by path.
  returned: always, unless the options were refused
  type: dict
  sample: {/etc/nowhere: "'/etc/nowhere' does not exist"}
existing:
  description: Those of O(exist) that exist.
  returned: always, unless the options were refused
  type: list
  elements: str
  sample: []
recovered:
  description: What a killed run had left, and whether it was finished or undone.
  returned: if there was something
  type: list
  elements: dict
  contains:
    set:
      description: The set.
      returned: always
      type: str
      sample: web
    action:
      description: V(finished) or V(undone).
      returned: always
      type: str
      sample: finished
    files:
      description: Its files.
      returned: always
      type: list
      elements: str
      sample: [/etc/ssl/private/web.key]
faults:
  description: What is wrong with the options.
  returned: if they were refused
  type: list
  elements: dict
  contains:
    path:
      description: The option.
      returned: always
      type: str
      sample: sets[0].files[1].path
    message:
      description: What is wrong with it.
      returned: always
      type: str
      sample: "'web.pem' is not an absolute path; begin it with '/'"
error:
  description: Why the task failed.
  returned: if it failed
  type: dict
  contains:
    kind:
      description:
        - V(input.invalid), the options are wrong; see RV(faults). V(sets.failed), several failed with different kinds; see RV(failures).
        - "Files: V(files.account_lookup), V(files.busy), V(files.dangling_link), V(files.directory_locked), V(files.directory_missing),
          V(files.directory_world_writable), V(files.duplicate_path), V(files.failed), V(files.hard_linked), V(files.invalid_path),
          V(files.is_directory), V(files.journal_damaged), V(files.journal_untrusted), V(files.link_leaves_directory),
          V(files.mode_too_open), V(files.no_space), V(files.not_a_directory), V(files.not_regular), V(files.os), V(files.permission_denied),
          V(files.read_only), V(files.stuck_halfway), V(files.too_large), V(files.too_many_files)."
        - V(program.no_architecture), the collection has no program for the target. V(program.not_placed), the program could
          not be put on the target. V(program.no_answer), it ended without an answer.
      returned: always
      type: str
      sample: files.directory_missing
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
      sample: "free space or raise the quota of that file system; the old files are untouched"
"""

from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import FILE_SET
from ansible_collections.tls.everywhere.plugins.module_utils.native_program import run


def main():
    """Hands an asynchronous task to the program; all others are run by the action plugin."""
    run('file_set', FILE_SET)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Which older certificates of an authority its clients must still trust, and which files hold private keys.

The controller has no X.509 library that it could rely on, so the few fields that decide are walked to in the DER
(RFC 5280 section 4.1). What is read here decides about trust in the old beside the new; it never replaces verification.
"""

from __future__ import annotations

import base64
import datetime
import re
import typing as t

CERTIFICATE = re.compile(rb'-----BEGIN CERTIFICATE-----\s+(.*?)-----END CERTIFICATE-----', re.DOTALL)
PRIVATE_KEY = re.compile(rb'-----BEGIN (?:[A-Z0-9 ]+ )?PRIVATE KEY-----')
JKS = b'\xfe\xed\xfe\xed'
# SEQUENCE { INTEGER 3, … }: PFX of RFC 7292 with a length of two or three bytes.
PKCS12 = re.compile(rb'\x30(?:\x82..|\x83...|\x80)\x02\x01\x03', re.DOTALL)


class Identity(t.NamedTuple):
    """What makes two certificates of one authority replaceable by each other, and until when it holds."""

    subject: bytes
    public_key: bytes
    issuer: bytes
    not_after: datetime.datetime


def carries_private_key(content: bytes) -> bool:
    """Whether a file must be kept from other users: a PEM key of any kind, a Java key store or a PKCS#12 file."""
    return bool(PRIVATE_KEY.search(content) or content.startswith(JKS) or PKCS12.match(content))


def _element(data: bytes, start: int) -> tuple[int, int, int]:
    """Tag, begin and end of the content of one DER element."""
    length = data[start + 1]
    begin = start + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise ValueError('length')
        length = int.from_bytes(data[begin:begin + count], 'big')
        begin += count
    if begin + length > len(data):
        raise ValueError('truncated')
    return data[start], begin, begin + length


def _children(data: bytes, begin: int, end: int) -> list[tuple[int, bytes, bytes]]:
    """The elements inside one: tag, content, whole."""
    found = []
    while begin < end:
        tag, inner, after = _element(data, begin)
        found.append((tag, data[inner:after], data[begin:after]))
        begin = after
    return found


def _instant(tag: int, content: bytes) -> datetime.datetime:
    text = content.decode('ascii')
    if tag == 0x17:  # UTCTime: RFC 5280 section 4.1.2.5.1
        text = ('20' if int(text[:2]) < 50 else '19') + text
    return datetime.datetime.strptime(text, '%Y%m%d%H%M%SZ')


def identity(der: bytes) -> Identity | None:
    """Subject, key and end of a certificate; None for what is none."""
    try:
        _tag, begin, end = _element(der, 0)
        fields = _children(der, begin, end)[0][1]
        parts = _children(fields, 0, len(fields))
        if parts[0][0] == 0xA0:  # version
            parts = parts[1:]
        _serial, _algorithm, issuer, validity, subject, public_key = parts[:6]
        dates = _children(validity[1], 0, len(validity[1]))
        return Identity(subject[2], public_key[2], issuer[2], _instant(dates[1][0], dates[1][1]))
    except (IndexError, ValueError):
        return None


def is_self_issued(der: bytes) -> bool:
    """Whether a certificate names itself as its issuer."""
    found = identity(der)
    return found is not None and found.subject == found.issuer


def certificates(pem: bytes) -> list[bytes]:
    """The certificates of a PEM file as DER."""
    found = []
    for match in CERTIFICATE.finditer(pem):
        try:
            found.append(base64.b64decode(match.group(1)))
        except ValueError:
            continue
    return found


def pem(der: bytes) -> bytes:
    """One certificate as PEM."""
    text = base64.b64encode(der).decode('ascii')
    lines = '\n'.join(text[at:at + 64] for at in range(0, len(text), 64))
    return f'-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n'.encode('ascii')


class Generations(t.NamedTuple):
    """The certificates of one self-signed authority: the one in service, and all by their number."""

    current: bytes
    numbered: dict[int, bytes]

    def overlap(self, now: datetime.datetime) -> dict[int, bytes]:
        """The generations that clients must trust beside the one in service: with another key or name, still valid."""
        service = identity(self.current)
        kept: dict[int, bytes] = {}
        seen = {service[:2]} if service else set()
        for number, der in sorted(self.numbered.items(), reverse=True):
            found = identity(der)
            if found and found[:2] not in seen and found.not_after > now:
                seen.add(found[:2])
                kept[number] = der
        return kept


def widened(bundle: bytes, authorities: t.Iterable[Generations], now: datetime.datetime) -> bytes:
    """A bundle of authorities with the older and newer roots of those in it, so that no client loses trust while a
    root is replaced. The bundle as it is where there is nothing to add."""
    held = certificates(bundle)
    missing: list[bytes] = []
    for generations in authorities:
        every = [generations.current, *generations.numbered.values()]
        if not any(der in held for der in every):
            continue
        wanted = [generations.current, *generations.overlap(now).values()]
        if len(wanted) > 1:
            missing += [der for der in wanted if der not in held and der not in missing]
    if not missing:
        return bundle
    return bundle.rstrip(b'\n') + b'\n' + b''.join(pem(der) for der in missing)


def below(
    authorities: t.Mapping[str, t.Mapping[str, str]], leaves: t.Mapping[str, str], chosen: t.Iterable[str]
) -> dict[str, list[str]]:
    """The leaves that hang on authorities, directly or through others, by the names in the certificates. All are base64
    of PEM; authorities by name and generation, with the one in service as `current`."""
    current = {name: _first(files.get('current')) for name, files in authorities.items()}
    found = {name: each for name, each in current.items() if each}
    signed = {path: each for path, each in ((path, _first(content)) for path, content in leaves.items()) if each}
    hanging: dict[str, list[str]] = {}
    for name in chosen:
        subjects = {found[name].subject} if name in found else set()
        for _round in found:
            subjects |= {each.subject for each in found.values() if each.issuer in subjects}
        hanging[name] = sorted(path for path, each in signed.items() if each.issuer in subjects)
    return hanging


def foretold(
    authorities: t.Mapping[str, t.Mapping[str, str]], leaves: t.Mapping[str, str], certificates_of: t.Sequence[str], keys_of: t.Sequence[str]
) -> list[str]:
    """What new certificates and new keys of authorities do to the certificates below them, for those authorities that exist."""
    said = []
    for name, names in below(authorities, leaves, [name for name in keys_of if name in authorities]).items():
        listed = f" ({', '.join(names[:20])}{', …' if len(names) > 20 else ''})" if names else ''
        said.append(
            f"authority '{name}' gets a new key: {len(names)} certificates below it must be signed again and are by main_certs.yml{listed}"
        )
    kept = [name for name in certificates_of if name in authorities and name not in keys_of]
    for name, names in below(authorities, leaves, kept).items():
        said.append(f"authority '{name}' gets a new certificate for the key that it has: the {len(names)} certificates below it stay valid")
    return said


def _first(content: str | None) -> Identity | None:
    ders = certificates(base64.b64decode(content)) if content else []
    return identity(ders[0]) if ders else None

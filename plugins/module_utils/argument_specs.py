# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0
"""The options of every module. Written by scripts/generate-argument-specs from the executables; do not edit."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

ACME_DNS_CHALLENGE = {
    'phase': {
        'type': 'str',
        'default': 'all',
        'choices': [
            'all',
            'request',
            'publish',
            'wait',
            'complete',
            'cleanup',
            'revoke',
            'deactivate_authz',
            'rollover',
            'deactivate_account',
        ],
    },
    'directory': {
        'type': 'str',
    },
    'ca_file': {
        'type': 'path',
    },
    'account_key': {
        'type': 'path',
        'no_log': False,
    },
    'account_create': {
        'type': 'bool',
        'default': True,
    },
    'account_uri': {
        'type': 'str',
    },
    'account_import': {
        'type': 'path',
    },
    'contact': {
        'type': 'list',
        'elements': 'str',
        'default': [],
    },
    'terms_agreed': {
        'type': 'bool',
        'default': False,
    },
    'eab': {
        'type': 'dict',
        'options': {
            'kid': {
                'type': 'str',
                'required': True,
            },
            'hmac_key': {
                'type': 'str',
                'required': True,
                'no_log': True,
            },
            'algorithm': {
                'type': 'str',
                'default': 'HS256',
                'choices': ['HS256', 'HS384', 'HS512'],
            },
        },
    },
    'certificates': {
        'type': 'list',
        'elements': 'dict',
        'default': [],
        'options': {
            'name': {
                'type': 'str',
                'required': True,
            },
            'csr': {
                'type': 'path',
            },
            'csr_content': {
                'type': 'str',
            },
            'current': {
                'type': 'path',
            },
            'certificate': {
                'type': 'str',
            },
            'private_key': {
                'type': 'path',
                'no_log': False,
            },
            'reason': {
                'type': 'str',
                'choices': [
                    'unspecified',
                    'keyCompromise',
                    'cACompromise',
                    'affiliationChanged',
                    'superseded',
                    'cessationOfOperation',
                    'certificateHold',
                    'privilegeWithdrawn',
                    'aACompromise',
                ],
            },
            'profile': {
                'type': 'str',
            },
            'preferred_chain': {
                'type': 'str',
            },
            'files': {
                'type': 'list',
                'elements': 'dict',
                'default': [],
                'options': {
                    'content': {
                        'type': 'str',
                        'required': True,
                        'choices': ['certificate', 'chain', 'fullchain'],
                    },
                    'path': {
                        'type': 'path',
                        'required': True,
                    },
                    'owner': {
                        'type': 'str',
                    },
                    'group': {
                        'type': 'str',
                    },
                    'mode': {
                        'type': 'raw',
                    },
                },
            },
        },
    },
    'challenge': {
        'type': 'str',
        'default': 'dns-01',
        'choices': ['dns-01', 'dns-account-01', 'dns-persist-01'],
    },
    'target': {
        'type': 'dict',
        'options': {
            'zone': {
                'type': 'str',
            },
        },
    },
    'provider': {
        'type': 'dict',
        'options': {
            'acme_dns': {
                'type': 'dict',
                'options': {
                    'url': {
                        'type': 'str',
                        'required': True,
                    },
                    'accounts': {
                        'type': 'list',
                        'elements': 'dict',
                        'options': {
                            'fulldomain': {
                                'type': 'str',
                                'required': True,
                            },
                            'subdomain': {
                                'type': 'str',
                            },
                            'username': {
                                'type': 'str',
                                'required': True,
                            },
                            'password': {
                                'type': 'str',
                                'required': True,
                                'no_log': True,
                            },
                        },
                    },
                    'accounts_file': {
                        'type': 'path',
                    },
                    'ca_file': {
                        'type': 'path',
                    },
                    'timeout': {
                        'type': 'str',
                        'default': '30s',
                    },
                },
            },
            'cloudflare': {
                'type': 'dict',
                'options': {
                    'token': {
                        'type': 'str',
                        'no_log': True,
                    },
                    'token_file': {
                        'type': 'path',
                        'no_log': False,
                    },
                    'zone_id': {
                        'type': 'str',
                    },
                    'url': {
                        'type': 'str',
                        'default': 'https://api.cloudflare.com/client/v4',
                    },
                    'ca_file': {
                        'type': 'path',
                    },
                    'ttl': {
                        'type': 'int',
                        'default': 60,
                    },
                    'timeout': {
                        'type': 'str',
                        'default': '30s',
                    },
                },
            },
            'designate': {
                'type': 'dict',
                'options': {
                    'cloud': {
                        'type': 'str',
                    },
                    'clouds_files': {
                        'type': 'list',
                        'elements': 'path',
                        'default': ['~/.config/openstack/clouds.yaml', '/etc/openstack/clouds.yaml'],
                        'aliases': ['clouds_file'],
                    },
                    'auth': {
                        'type': 'dict',
                        'options': {
                            'auth_url': {
                                'type': 'str',
                                'required': True,
                            },
                            'username': {
                                'type': 'str',
                            },
                            'user_id': {
                                'type': 'str',
                            },
                            'user_domain_name': {
                                'type': 'str',
                            },
                            'user_domain_id': {
                                'type': 'str',
                            },
                            'password': {
                                'type': 'str',
                                'no_log': True,
                            },
                            'password_file': {
                                'type': 'path',
                                'no_log': False,
                            },
                            'project_name': {
                                'type': 'str',
                            },
                            'project_id': {
                                'type': 'str',
                            },
                            'project_domain_name': {
                                'type': 'str',
                            },
                            'project_domain_id': {
                                'type': 'str',
                            },
                            'application_credential_id': {
                                'type': 'str',
                            },
                            'application_credential_name': {
                                'type': 'str',
                            },
                            'application_credential_secret': {
                                'type': 'str',
                                'no_log': True,
                            },
                            'application_credential_secret_file': {
                                'type': 'path',
                                'no_log': False,
                            },
                            'token': {
                                'type': 'str',
                                'no_log': True,
                            },
                            'token_file': {
                                'type': 'path',
                                'no_log': False,
                            },
                        },
                    },
                    'auth_type': {
                        'type': 'str',
                        'choices': ['password', 'v3applicationcredential', 'token'],
                    },
                    'region_name': {
                        'type': 'str',
                    },
                    'interface': {
                        'type': 'str',
                        'choices': ['public', 'internal', 'admin'],
                    },
                    'ca_file': {
                        'type': 'path',
                    },
                    'ttl': {
                        'type': 'int',
                        'default': 60,
                    },
                    'timeout': {
                        'type': 'str',
                        'default': '30s',
                    },
                },
            },
            'hook': {
                'type': 'dict',
                'options': {
                    'command': {
                        'type': 'list',
                        'elements': 'str',
                        'required': True,
                    },
                    'ttl': {
                        'type': 'int',
                        'default': 60,
                    },
                    'timeout': {
                        'type': 'str',
                        'default': '5m',
                    },
                },
            },
            'powerdns': {
                'type': 'dict',
                'options': {
                    'url': {
                        'type': 'str',
                        'required': True,
                    },
                    'api_key': {
                        'type': 'str',
                        'no_log': True,
                    },
                    'api_key_file': {
                        'type': 'path',
                        'no_log': False,
                    },
                    'server_id': {
                        'type': 'str',
                        'default': 'localhost',
                    },
                    'ca_file': {
                        'type': 'path',
                    },
                    'ttl': {
                        'type': 'int',
                        'default': 1,
                    },
                    'timeout': {
                        'type': 'str',
                        'default': '30s',
                    },
                },
            },
            'rackspace': {
                'type': 'dict',
                'options': {
                    'cloud': {
                        'type': 'str',
                    },
                    'clouds_files': {
                        'type': 'list',
                        'elements': 'path',
                        'default': ['~/.config/openstack/clouds.yaml', '/etc/openstack/clouds.yaml'],
                        'aliases': ['clouds_file'],
                    },
                    'username': {
                        'type': 'str',
                    },
                    'api_key': {
                        'type': 'str',
                        'no_log': True,
                    },
                    'api_key_file': {
                        'type': 'path',
                        'no_log': False,
                    },
                    'identity_url': {
                        'type': 'str',
                        'default': 'https://identity.api.rackspacecloud.com',
                    },
                    'url': {
                        'type': 'str',
                        'default': 'https://dns.api.rackspacecloud.com/v1.0',
                    },
                    'ca_file': {
                        'type': 'path',
                    },
                    'ttl': {
                        'type': 'int',
                        'default': 300,
                    },
                    'timeout': {
                        'type': 'str',
                        'default': '60s',
                    },
                },
            },
            'rfc2136': {
                'type': 'dict',
                'options': {
                    'server': {
                        'type': 'str',
                        'required': True,
                    },
                    'zone': {
                        'type': 'str',
                    },
                    'key_name': {
                        'type': 'str',
                        'no_log': False,
                    },
                    'algorithm': {
                        'type': 'str',
                        'default': 'hmac-sha256',
                    },
                    'secret': {
                        'type': 'str',
                        'no_log': True,
                    },
                    'secret_file': {
                        'type': 'path',
                        'no_log': False,
                    },
                    'ttl': {
                        'type': 'int',
                        'default': 1,
                    },
                    'timeout': {
                        'type': 'str',
                        'default': '10s',
                    },
                },
            },
            'route53': {
                'type': 'dict',
                'options': {
                    'access_key': {
                        'type': 'str',
                        'required': True,
                        'no_log': False,
                    },
                    'secret_key': {
                        'type': 'str',
                        'no_log': True,
                    },
                    'secret_key_file': {
                        'type': 'path',
                        'no_log': False,
                    },
                    'session_token': {
                        'type': 'str',
                        'no_log': True,
                    },
                    'session_token_file': {
                        'type': 'path',
                        'no_log': False,
                    },
                    'hosted_zone_id': {
                        'type': 'str',
                    },
                    'region': {
                        'type': 'str',
                        'default': 'us-east-1',
                    },
                    'url': {
                        'type': 'str',
                        'default': 'https://route53.amazonaws.com',
                    },
                    'ca_file': {
                        'type': 'path',
                    },
                    'ttl': {
                        'type': 'int',
                        'default': 1,
                    },
                    'timeout': {
                        'type': 'str',
                        'default': '30s',
                    },
                },
            },
            'zone_file': {
                'type': 'dict',
                'options': {
                    'path': {
                        'type': 'path',
                        'required': True,
                    },
                    'zone': {
                        'type': 'str',
                        'required': True,
                    },
                    'check': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'reload': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'keep': {
                        'type': 'str',
                        'default': '60m',
                    },
                    'ttl': {
                        'type': 'int',
                        'default': 1,
                    },
                    'timeout': {
                        'type': 'str',
                        'default': '60s',
                    },
                },
            },
        },
    },
    'records': {
        'type': 'list',
        'elements': 'dict',
        'default': [],
        'options': {
            'target': {
                'type': 'str',
                'required': True,
            },
            'value': {
                'type': 'str',
                'required': True,
            },
            'zone': {
                'type': 'str',
            },
            'ttl': {
                'type': 'int',
            },
            'name': {
                'type': 'str',
            },
            'certificate': {
                'type': 'str',
            },
            'identifier': {
                'type': 'str',
            },
        },
    },
    'propagation': {
        'type': 'dict',
        'default': {},
        'options': {
            'resolvers': {
                'type': 'list',
                'elements': 'str',
                'default': [],
            },
            'nameservers': {
                'type': 'list',
                'elements': 'str',
                'default': [],
            },
            'timeout': {
                'type': 'str',
                'default': '2m',
            },
            'hold': {
                'type': 'bool',
                'default': True,
            },
        },
    },
    'renew': {
        'type': 'dict',
        'default': {},
        'options': {
            'ari': {
                'type': 'bool',
                'default': True,
            },
            'before': {
                'type': 'str',
            },
            'force': {
                'type': 'bool',
                'default': False,
            },
        },
    },
    'retry': {
        'type': 'dict',
        'default': {},
        'options': {
            'max_wait': {
                'type': 'str',
                'default': '60s',
            },
            'nonces': {
                'type': 'int',
                'default': 12,
            },
            'http_timeout': {
                'type': 'str',
                'default': '30s',
            },
            'deadline': {
                'type': 'str',
                'default': '15m',
            },
        },
    },
    'state_dir': {
        'type': 'path',
        'default': '/var/lib/tls-everywhere/acme',
    },
    'parallel': {
        'type': 'int',
    },
}

CERT_CHECK = {
    'endpoints': {
        'type': 'list',
        'elements': 'dict',
        'default': [],
        'options': {
            'service': {
                'type': 'str',
                'aliases': ['name'],
            },
            'host': {
                'type': 'str',
                'required': True,
            },
            'address': {
                'type': 'str',
            },
            'port': {
                'type': 'int',
                'default': 443,
            },
            'sni': {
                'type': 'str',
            },
            'starttls': {
                'type': 'str',
                'default': 'auto',
                'choices': [
                    'auto',
                    'none',
                    'imap',
                    'ldap',
                    'mysql',
                    'pop3',
                    'postgres',
                    'smtp',
                    'vnc',
                    'xmpp',
                ],
            },
            'names': {
                'type': 'list',
                'elements': 'str',
            },
            'certificate': {
                'type': 'path',
            },
            'warn': {
                'type': 'str',
            },
            'fail': {
                'type': 'str',
            },
            'allow_shared': {
                'type': 'bool',
                'default': False,
            },
        },
    },
    'domains': {
        'type': 'list',
        'elements': 'str',
        'default': [],
    },
    'files': {
        'type': 'list',
        'elements': 'dict',
        'default': [],
        'options': {
            'service': {
                'type': 'str',
                'aliases': ['name'],
            },
            'path': {
                'type': 'path',
                'required': True,
            },
            'private_key': {
                'type': 'path',
                'no_log': False,
            },
            'names': {
                'type': 'list',
                'elements': 'str',
            },
            'warn': {
                'type': 'str',
            },
            'fail': {
                'type': 'str',
            },
            'allow_shared': {
                'type': 'bool',
                'default': False,
            },
            'served': {
                'type': 'bool',
                'default': True,
            },
        },
    },
    'warn': {
        'type': 'str',
    },
    'fail': {
        'type': 'str',
    },
    'trust': {
        'type': 'dict',
        'default': {
            'ca_path': [],
            'system': True,
        },
        'options': {
            'ca_path': {
                'type': 'list',
                'elements': 'path',
                'default': [],
            },
            'system': {
                'type': 'bool',
                'default': True,
            },
        },
    },
    'revocation': {
        'type': 'dict',
        'default': {
            'crl': [],
            'fetch': False,
            'stapled': True,
        },
        'options': {
            'crl': {
                'type': 'list',
                'elements': 'str',
                'default': [],
            },
            'fetch': {
                'type': 'bool',
                'default': False,
            },
            'stapled': {
                'type': 'bool',
                'default': True,
            },
        },
    },
    'timeout': {
        'type': 'int',
        'default': 10,
    },
    'deadline': {
        'type': 'int',
        'default': 120,
    },
    'parallel': {
        'type': 'int',
        'default': 512,
    },
    'attribution': {
        'type': 'str',
        'default': 'auto',
        'choices': ['auto', 'never'],
    },
    'engine_socket': {
        'type': 'path',
    },
    'fail_on': {
        'type': 'str',
        'default': 'fail',
        'choices': ['none', 'fail', 'warn'],
    },
    'report': {
        'type': 'dict',
        'default': {
            'include': [],
        },
        'options': {
            'host': {
                'type': 'str',
            },
            'html': {
                'type': 'path',
            },
            'prometheus': {
                'type': 'path',
            },
            'json': {
                'type': 'path',
            },
            'include': {
                'type': 'list',
                'elements': 'path',
                'default': [],
            },
        },
    },
}

CERT_REQUEST = {
    'certificates': {
        'type': 'list',
        'elements': 'dict',
        'required': True,
        'options': {
            'name': {
                'type': 'str',
                'required': True,
            },
            'common_name': {
                'type': 'str',
            },
            'subject': {
                'type': 'dict',
            },
            'dns': {
                'type': 'list',
                'elements': 'str',
            },
            'ip': {
                'type': 'list',
                'elements': 'str',
            },
            'email': {
                'type': 'list',
                'elements': 'str',
            },
            'uri': {
                'type': 'list',
                'elements': 'str',
            },
            'principal': {
                'type': 'list',
                'elements': 'str',
            },
            'other_name': {
                'type': 'list',
                'elements': 'dict',
                'options': {
                    'type_id': {
                        'type': 'str',
                        'required': True,
                    },
                    'value': {
                        'type': 'str',
                        'required': True,
                    },
                },
            },
            'key': {
                'type': 'dict',
                'no_log': False,
                'options': {
                    'algorithm': {
                        'type': 'str',
                        'choices': ['rsa', 'ecdsa', 'ed25519', 'ed448'],
                    },
                    'size': {
                        'type': 'int',
                    },
                    'curve': {
                        'type': 'str',
                    },
                    'reuse': {
                        'type': 'bool',
                    },
                    'passphrase': {
                        'type': 'str',
                        'no_log': True,
                    },
                    'format': {
                        'type': 'str',
                        'choices': ['pkcs8', 'traditional'],
                    },
                },
            },
            'key_usage': {
                'type': 'list',
                'elements': 'str',
                'no_log': False,
            },
            'extended_key_usage': {
                'type': 'list',
                'elements': 'str',
                'no_log': False,
            },
            'must_staple': {
                'type': 'bool',
            },
            'ttl': {
                'type': 'str',
            },
            'renew': {
                'type': 'dict',
                'options': {
                    'before': {
                        'type': 'str',
                    },
                    'on': {
                        'type': 'list',
                        'elements': 'str',
                        'choices': ['expiry', 'names', 'key', 'issuer', 'revoked'],
                    },
                    'force': {
                        'type': 'bool',
                    },
                },
            },
            'issuer': {
                'type': 'dict',
                'options': {
                    'self_signed': {
                        'type': 'dict',
                    },
                    'private_ca': {
                        'type': 'dict',
                        'options': {
                            'certificate': {
                                'type': 'path',
                                'required': True,
                            },
                            'private_key': {
                                'type': 'path',
                                'required': True,
                                'no_log': False,
                            },
                            'passphrase': {
                                'type': 'str',
                                'no_log': True,
                            },
                            'chain': {
                                'type': 'path',
                            },
                            'root': {
                                'type': 'path',
                            },
                            'crl': {
                                'type': 'path',
                            },
                        },
                    },
                    'external': {
                        'type': 'dict',
                        'options': {
                            'signed': {
                                'type': 'str',
                            },
                            'signed_path': {
                                'type': 'path',
                            },
                            'trust': {
                                'type': 'path',
                            },
                        },
                    },
                    'provided': {
                        'type': 'dict',
                        'options': {
                            'certificate': {
                                'type': 'path',
                            },
                            'private_key': {
                                'type': 'path',
                                'no_log': False,
                            },
                            'chain': {
                                'type': 'path',
                            },
                            'certificate_content': {
                                'type': 'str',
                            },
                            'private_key_content': {
                                'type': 'str',
                                'no_log': True,
                            },
                            'chain_content': {
                                'type': 'str',
                            },
                            'passphrase': {
                                'type': 'str',
                                'no_log': True,
                            },
                        },
                    },
                    'certmonger': {
                        'type': 'dict',
                        'options': {
                            'ca': {
                                'type': 'str',
                                'required': True,
                            },
                            'profile': {
                                'type': 'str',
                            },
                            'issuer': {
                                'type': 'str',
                            },
                            'ca_file': {
                                'type': 'path',
                            },
                            'wait': {
                                'type': 'bool',
                                'default': True,
                            },
                            'wait_timeout': {
                                'type': 'str',
                                'default': '5m',
                            },
                            'auto_renew': {
                                'type': 'bool',
                            },
                            'pre_save': {
                                'type': 'str',
                            },
                            'post_save': {
                                'type': 'str',
                            },
                            'nickname': {
                                'type': 'str',
                            },
                            'address': {
                                'type': 'str',
                            },
                            'challenge_password': {
                                'type': 'str',
                                'no_log': True,
                            },
                            'challenge_password_file': {
                                'type': 'path',
                                'no_log': False,
                            },
                            'key_pin_file': {
                                'type': 'path',
                                'no_log': False,
                            },
                        },
                    },
                    'acme': {
                        'type': 'dict',
                        'options': {
                            'directory': {
                                'type': 'str',
                                'required': True,
                            },
                            'ca_file': {
                                'type': 'path',
                            },
                            'account_key': {
                                'type': 'path',
                                'required': True,
                                'no_log': False,
                            },
                            'account_create': {
                                'type': 'bool',
                                'default': True,
                            },
                            'account_import': {
                                'type': 'path',
                            },
                            'account_uri': {
                                'type': 'str',
                            },
                            'contact': {
                                'type': 'list',
                                'elements': 'str',
                                'default': [],
                            },
                            'terms_agreed': {
                                'type': 'bool',
                                'default': False,
                            },
                            'eab': {
                                'type': 'dict',
                                'options': {
                                    'kid': {
                                        'type': 'str',
                                        'required': True,
                                    },
                                    'hmac_key': {
                                        'type': 'str',
                                        'required': True,
                                        'no_log': True,
                                    },
                                    'algorithm': {
                                        'type': 'str',
                                        'default': 'HS256',
                                        'choices': ['HS256', 'HS384', 'HS512'],
                                    },
                                },
                            },
                            'profile': {
                                'type': 'str',
                            },
                            'preferred_chain': {
                                'type': 'str',
                            },
                            'challenge': {
                                'type': 'str',
                                'choices': ['http-01', 'dns-01', 'dns-account-01', 'dns-persist-01'],
                            },
                            'http': {
                                'type': 'dict',
                                'options': {
                                    'address': {
                                        'type': 'list',
                                        'elements': 'str',
                                        'default': ['127.0.0.1'],
                                    },
                                    'port': {
                                        'type': 'int',
                                        'default': 8888,
                                    },
                                    'public_port': {
                                        'type': 'int',
                                        'default': 80,
                                    },
                                    'self_check': {
                                        'type': 'str',
                                        'default': 'auto',
                                        'choices': ['auto', 'true', 'false'],
                                    },
                                    'timeout': {
                                        'type': 'str',
                                        'default': '60s',
                                    },
                                },
                            },
                            'target': {
                                'type': 'dict',
                                'options': {
                                    'zone': {
                                        'type': 'str',
                                    },
                                },
                            },
                            'provider': {
                                'type': 'dict',
                                'options': {
                                    'acme_dns': {
                                        'type': 'dict',
                                        'options': {
                                            'url': {
                                                'type': 'str',
                                                'required': True,
                                            },
                                            'accounts': {
                                                'type': 'list',
                                                'elements': 'dict',
                                                'options': {
                                                    'fulldomain': {
                                                        'type': 'str',
                                                        'required': True,
                                                    },
                                                    'subdomain': {
                                                        'type': 'str',
                                                    },
                                                    'username': {
                                                        'type': 'str',
                                                        'required': True,
                                                    },
                                                    'password': {
                                                        'type': 'str',
                                                        'required': True,
                                                        'no_log': True,
                                                    },
                                                },
                                            },
                                            'accounts_file': {
                                                'type': 'path',
                                            },
                                            'ca_file': {
                                                'type': 'path',
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '30s',
                                            },
                                        },
                                    },
                                    'cloudflare': {
                                        'type': 'dict',
                                        'options': {
                                            'token': {
                                                'type': 'str',
                                                'no_log': True,
                                            },
                                            'token_file': {
                                                'type': 'path',
                                                'no_log': False,
                                            },
                                            'zone_id': {
                                                'type': 'str',
                                            },
                                            'url': {
                                                'type': 'str',
                                                'default': 'https://api.cloudflare.com/client/v4',
                                            },
                                            'ca_file': {
                                                'type': 'path',
                                            },
                                            'ttl': {
                                                'type': 'int',
                                                'default': 60,
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '30s',
                                            },
                                        },
                                    },
                                    'designate': {
                                        'type': 'dict',
                                        'options': {
                                            'cloud': {
                                                'type': 'str',
                                            },
                                            'clouds_files': {
                                                'type': 'list',
                                                'elements': 'path',
                                                'default': ['~/.config/openstack/clouds.yaml', '/etc/openstack/clouds.yaml'],
                                                'aliases': ['clouds_file'],
                                            },
                                            'auth': {
                                                'type': 'dict',
                                                'options': {
                                                    'auth_url': {
                                                        'type': 'str',
                                                        'required': True,
                                                    },
                                                    'username': {
                                                        'type': 'str',
                                                    },
                                                    'user_id': {
                                                        'type': 'str',
                                                    },
                                                    'user_domain_name': {
                                                        'type': 'str',
                                                    },
                                                    'user_domain_id': {
                                                        'type': 'str',
                                                    },
                                                    'password': {
                                                        'type': 'str',
                                                        'no_log': True,
                                                    },
                                                    'password_file': {
                                                        'type': 'path',
                                                        'no_log': False,
                                                    },
                                                    'project_name': {
                                                        'type': 'str',
                                                    },
                                                    'project_id': {
                                                        'type': 'str',
                                                    },
                                                    'project_domain_name': {
                                                        'type': 'str',
                                                    },
                                                    'project_domain_id': {
                                                        'type': 'str',
                                                    },
                                                    'application_credential_id': {
                                                        'type': 'str',
                                                    },
                                                    'application_credential_name': {
                                                        'type': 'str',
                                                    },
                                                    'application_credential_secret': {
                                                        'type': 'str',
                                                        'no_log': True,
                                                    },
                                                    'application_credential_secret_file': {
                                                        'type': 'path',
                                                        'no_log': False,
                                                    },
                                                    'token': {
                                                        'type': 'str',
                                                        'no_log': True,
                                                    },
                                                    'token_file': {
                                                        'type': 'path',
                                                        'no_log': False,
                                                    },
                                                },
                                            },
                                            'auth_type': {
                                                'type': 'str',
                                                'choices': ['password', 'v3applicationcredential', 'token'],
                                            },
                                            'region_name': {
                                                'type': 'str',
                                            },
                                            'interface': {
                                                'type': 'str',
                                                'choices': ['public', 'internal', 'admin'],
                                            },
                                            'ca_file': {
                                                'type': 'path',
                                            },
                                            'ttl': {
                                                'type': 'int',
                                                'default': 60,
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '30s',
                                            },
                                        },
                                    },
                                    'hook': {
                                        'type': 'dict',
                                        'options': {
                                            'command': {
                                                'type': 'list',
                                                'elements': 'str',
                                                'required': True,
                                            },
                                            'ttl': {
                                                'type': 'int',
                                                'default': 60,
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '5m',
                                            },
                                        },
                                    },
                                    'powerdns': {
                                        'type': 'dict',
                                        'options': {
                                            'url': {
                                                'type': 'str',
                                                'required': True,
                                            },
                                            'api_key': {
                                                'type': 'str',
                                                'no_log': True,
                                            },
                                            'api_key_file': {
                                                'type': 'path',
                                                'no_log': False,
                                            },
                                            'server_id': {
                                                'type': 'str',
                                                'default': 'localhost',
                                            },
                                            'ca_file': {
                                                'type': 'path',
                                            },
                                            'ttl': {
                                                'type': 'int',
                                                'default': 1,
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '30s',
                                            },
                                        },
                                    },
                                    'rackspace': {
                                        'type': 'dict',
                                        'options': {
                                            'cloud': {
                                                'type': 'str',
                                            },
                                            'clouds_files': {
                                                'type': 'list',
                                                'elements': 'path',
                                                'default': ['~/.config/openstack/clouds.yaml', '/etc/openstack/clouds.yaml'],
                                                'aliases': ['clouds_file'],
                                            },
                                            'username': {
                                                'type': 'str',
                                            },
                                            'api_key': {
                                                'type': 'str',
                                                'no_log': True,
                                            },
                                            'api_key_file': {
                                                'type': 'path',
                                                'no_log': False,
                                            },
                                            'identity_url': {
                                                'type': 'str',
                                                'default': 'https://identity.api.rackspacecloud.com',
                                            },
                                            'url': {
                                                'type': 'str',
                                                'default': 'https://dns.api.rackspacecloud.com/v1.0',
                                            },
                                            'ca_file': {
                                                'type': 'path',
                                            },
                                            'ttl': {
                                                'type': 'int',
                                                'default': 300,
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '60s',
                                            },
                                        },
                                    },
                                    'rfc2136': {
                                        'type': 'dict',
                                        'options': {
                                            'server': {
                                                'type': 'str',
                                                'required': True,
                                            },
                                            'zone': {
                                                'type': 'str',
                                            },
                                            'key_name': {
                                                'type': 'str',
                                                'no_log': False,
                                            },
                                            'algorithm': {
                                                'type': 'str',
                                                'default': 'hmac-sha256',
                                            },
                                            'secret': {
                                                'type': 'str',
                                                'no_log': True,
                                            },
                                            'secret_file': {
                                                'type': 'path',
                                                'no_log': False,
                                            },
                                            'ttl': {
                                                'type': 'int',
                                                'default': 1,
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '10s',
                                            },
                                        },
                                    },
                                    'route53': {
                                        'type': 'dict',
                                        'options': {
                                            'access_key': {
                                                'type': 'str',
                                                'required': True,
                                                'no_log': False,
                                            },
                                            'secret_key': {
                                                'type': 'str',
                                                'no_log': True,
                                            },
                                            'secret_key_file': {
                                                'type': 'path',
                                                'no_log': False,
                                            },
                                            'session_token': {
                                                'type': 'str',
                                                'no_log': True,
                                            },
                                            'session_token_file': {
                                                'type': 'path',
                                                'no_log': False,
                                            },
                                            'hosted_zone_id': {
                                                'type': 'str',
                                            },
                                            'region': {
                                                'type': 'str',
                                                'default': 'us-east-1',
                                            },
                                            'url': {
                                                'type': 'str',
                                                'default': 'https://route53.amazonaws.com',
                                            },
                                            'ca_file': {
                                                'type': 'path',
                                            },
                                            'ttl': {
                                                'type': 'int',
                                                'default': 1,
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '30s',
                                            },
                                        },
                                    },
                                    'zone_file': {
                                        'type': 'dict',
                                        'options': {
                                            'path': {
                                                'type': 'path',
                                                'required': True,
                                            },
                                            'zone': {
                                                'type': 'str',
                                                'required': True,
                                            },
                                            'check': {
                                                'type': 'list',
                                                'elements': 'str',
                                            },
                                            'reload': {
                                                'type': 'list',
                                                'elements': 'str',
                                            },
                                            'keep': {
                                                'type': 'str',
                                                'default': '60m',
                                            },
                                            'ttl': {
                                                'type': 'int',
                                                'default': 1,
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '60s',
                                            },
                                        },
                                    },
                                },
                            },
                            'propagation': {
                                'type': 'dict',
                                'options': {
                                    'resolvers': {
                                        'type': 'list',
                                        'elements': 'str',
                                        'default': [],
                                    },
                                    'nameservers': {
                                        'type': 'list',
                                        'elements': 'str',
                                        'default': [],
                                    },
                                    'timeout': {
                                        'type': 'str',
                                        'default': '2m',
                                    },
                                    'hold': {
                                        'type': 'bool',
                                        'default': True,
                                    },
                                },
                            },
                            'retry': {
                                'type': 'dict',
                                'options': {
                                    'max_wait': {
                                        'type': 'str',
                                        'default': '60s',
                                    },
                                    'nonces': {
                                        'type': 'int',
                                        'default': 12,
                                    },
                                    'http_timeout': {
                                        'type': 'str',
                                        'default': '30s',
                                    },
                                    'deadline': {
                                        'type': 'str',
                                        'default': '15m',
                                    },
                                },
                            },
                            'state_dir': {
                                'type': 'path',
                            },
                        },
                    },
                    'vault': {
                        'type': 'dict',
                        'options': {
                            'url': {
                                'type': 'list',
                                'elements': 'str',
                            },
                            'namespace': {
                                'type': 'str',
                            },
                            'ca_path': {
                                'type': 'path',
                            },
                            'ca_pem': {
                                'type': 'str',
                            },
                            'client_cert': {
                                'type': 'path',
                            },
                            'client_key': {
                                'type': 'path',
                                'no_log': False,
                            },
                            'tls_server_name': {
                                'type': 'str',
                            },
                            'validate_certs': {
                                'type': 'bool',
                                'default': True,
                            },
                            'auth': {
                                'type': 'dict',
                                'options': {
                                    'method': {
                                        'type': 'str',
                                        'default': 'token',
                                        'choices': ['token', 'approle', 'cert', 'jwt', 'kubernetes', 'userpass', 'none'],
                                    },
                                    'mount': {
                                        'type': 'str',
                                    },
                                    'role': {
                                        'type': 'str',
                                    },
                                    'token': {
                                        'type': 'str',
                                        'no_log': True,
                                    },
                                    'token_file': {
                                        'type': 'path',
                                        'no_log': False,
                                    },
                                    'role_id': {
                                        'type': 'str',
                                        'no_log': True,
                                    },
                                    'role_id_file': {
                                        'type': 'path',
                                    },
                                    'secret_id': {
                                        'type': 'str',
                                        'no_log': True,
                                    },
                                    'secret_id_file': {
                                        'type': 'path',
                                        'no_log': False,
                                    },
                                    'wrapped_secret_id': {
                                        'type': 'str',
                                        'no_log': True,
                                    },
                                    'wrapped_secret_id_file': {
                                        'type': 'path',
                                        'no_log': False,
                                    },
                                    'jwt': {
                                        'type': 'str',
                                        'no_log': True,
                                    },
                                    'jwt_file': {
                                        'type': 'path',
                                    },
                                    'username': {
                                        'type': 'str',
                                    },
                                    'password': {
                                        'type': 'str',
                                        'no_log': True,
                                    },
                                    'password_file': {
                                        'type': 'path',
                                        'no_log': False,
                                    },
                                    'revoke_after': {
                                        'type': 'bool',
                                        'default': True,
                                    },
                                },
                            },
                            'timeout': {
                                'type': 'str',
                                'default': '30s',
                            },
                            'retry_window': {
                                'type': 'str',
                                'default': '45s',
                            },
                            'wait_unsealed': {
                                'type': 'str',
                                'default': '0s',
                            },
                            'pin_active': {
                                'type': 'bool',
                                'default': True,
                            },
                            'allow_plaintext': {
                                'type': 'bool',
                                'default': False,
                            },
                            'mount': {
                                'type': 'str',
                                'default': 'pki',
                            },
                            'role': {
                                'type': 'str',
                                'required': True,
                            },
                            'issuer': {
                                'type': 'str',
                            },
                            'root': {
                                'type': 'path',
                            },
                            'revoke_old': {
                                'type': 'str',
                                'default': 'never',
                                'choices': ['never', 'after_install'],
                            },
                        },
                    },
                },
            },
            'files': {
                'type': 'list',
                'elements': 'dict',
                'options': {
                    'content': {
                        'type': 'str',
                        'required': True,
                        'choices': [
                            'private_key',
                            'certificate',
                            'chain',
                            'fullchain',
                            'ca_bundle',
                            'root',
                            'combined',
                            'pkcs12',
                            'jks',
                            'csr',
                        ],
                    },
                    'path': {
                        'type': 'path',
                        'required': True,
                    },
                    'owner': {
                        'type': 'str',
                    },
                    'group': {
                        'type': 'str',
                    },
                    'mode': {
                        'type': 'raw',
                    },
                    'context': {
                        'type': 'str',
                        'aliases': ['secontext'],
                    },
                    'setype': {
                        'type': 'str',
                    },
                    'backup': {
                        'type': 'bool',
                    },
                    'parts': {
                        'type': 'list',
                        'elements': 'str',
                        'choices': ['certificate', 'chain', 'root', 'private_key'],
                    },
                    'passphrase': {
                        'type': 'str',
                        'no_log': True,
                    },
                    'alias': {
                        'type': 'str',
                    },
                },
            },
            'containers': {
                'type': 'list',
                'elements': 'str',
            },
            'on_unreadable': {
                'type': 'str',
                'choices': ['fail', 'replace'],
            },
        },
    },
    'defaults': {
        'type': 'dict',
        'options': {
            'common_name': {
                'type': 'str',
            },
            'subject': {
                'type': 'dict',
            },
            'dns': {
                'type': 'list',
                'elements': 'str',
            },
            'ip': {
                'type': 'list',
                'elements': 'str',
            },
            'email': {
                'type': 'list',
                'elements': 'str',
            },
            'uri': {
                'type': 'list',
                'elements': 'str',
            },
            'principal': {
                'type': 'list',
                'elements': 'str',
            },
            'other_name': {
                'type': 'list',
                'elements': 'dict',
                'options': {
                    'type_id': {
                        'type': 'str',
                        'required': True,
                    },
                    'value': {
                        'type': 'str',
                        'required': True,
                    },
                },
            },
            'key': {
                'type': 'dict',
                'no_log': False,
                'options': {
                    'algorithm': {
                        'type': 'str',
                        'choices': ['rsa', 'ecdsa', 'ed25519', 'ed448'],
                    },
                    'size': {
                        'type': 'int',
                    },
                    'curve': {
                        'type': 'str',
                    },
                    'reuse': {
                        'type': 'bool',
                    },
                    'passphrase': {
                        'type': 'str',
                        'no_log': True,
                    },
                    'format': {
                        'type': 'str',
                        'choices': ['pkcs8', 'traditional'],
                    },
                },
            },
            'key_usage': {
                'type': 'list',
                'elements': 'str',
                'no_log': False,
            },
            'extended_key_usage': {
                'type': 'list',
                'elements': 'str',
                'no_log': False,
            },
            'must_staple': {
                'type': 'bool',
            },
            'ttl': {
                'type': 'str',
            },
            'renew': {
                'type': 'dict',
                'options': {
                    'before': {
                        'type': 'str',
                    },
                    'on': {
                        'type': 'list',
                        'elements': 'str',
                        'choices': ['expiry', 'names', 'key', 'issuer', 'revoked'],
                    },
                    'force': {
                        'type': 'bool',
                    },
                },
            },
            'issuer': {
                'type': 'dict',
                'options': {
                    'self_signed': {
                        'type': 'dict',
                    },
                    'private_ca': {
                        'type': 'dict',
                        'options': {
                            'certificate': {
                                'type': 'path',
                                'required': True,
                            },
                            'private_key': {
                                'type': 'path',
                                'required': True,
                                'no_log': False,
                            },
                            'passphrase': {
                                'type': 'str',
                                'no_log': True,
                            },
                            'chain': {
                                'type': 'path',
                            },
                            'root': {
                                'type': 'path',
                            },
                            'crl': {
                                'type': 'path',
                            },
                        },
                    },
                    'external': {
                        'type': 'dict',
                        'options': {
                            'signed': {
                                'type': 'str',
                            },
                            'signed_path': {
                                'type': 'path',
                            },
                            'trust': {
                                'type': 'path',
                            },
                        },
                    },
                    'provided': {
                        'type': 'dict',
                        'options': {
                            'certificate': {
                                'type': 'path',
                            },
                            'private_key': {
                                'type': 'path',
                                'no_log': False,
                            },
                            'chain': {
                                'type': 'path',
                            },
                            'certificate_content': {
                                'type': 'str',
                            },
                            'private_key_content': {
                                'type': 'str',
                                'no_log': True,
                            },
                            'chain_content': {
                                'type': 'str',
                            },
                            'passphrase': {
                                'type': 'str',
                                'no_log': True,
                            },
                        },
                    },
                    'certmonger': {
                        'type': 'dict',
                        'options': {
                            'ca': {
                                'type': 'str',
                                'required': True,
                            },
                            'profile': {
                                'type': 'str',
                            },
                            'issuer': {
                                'type': 'str',
                            },
                            'ca_file': {
                                'type': 'path',
                            },
                            'wait': {
                                'type': 'bool',
                                'default': True,
                            },
                            'wait_timeout': {
                                'type': 'str',
                                'default': '5m',
                            },
                            'auto_renew': {
                                'type': 'bool',
                            },
                            'pre_save': {
                                'type': 'str',
                            },
                            'post_save': {
                                'type': 'str',
                            },
                            'nickname': {
                                'type': 'str',
                            },
                            'address': {
                                'type': 'str',
                            },
                            'challenge_password': {
                                'type': 'str',
                                'no_log': True,
                            },
                            'challenge_password_file': {
                                'type': 'path',
                                'no_log': False,
                            },
                            'key_pin_file': {
                                'type': 'path',
                                'no_log': False,
                            },
                        },
                    },
                    'acme': {
                        'type': 'dict',
                        'options': {
                            'directory': {
                                'type': 'str',
                                'required': True,
                            },
                            'ca_file': {
                                'type': 'path',
                            },
                            'account_key': {
                                'type': 'path',
                                'required': True,
                                'no_log': False,
                            },
                            'account_create': {
                                'type': 'bool',
                                'default': True,
                            },
                            'account_import': {
                                'type': 'path',
                            },
                            'account_uri': {
                                'type': 'str',
                            },
                            'contact': {
                                'type': 'list',
                                'elements': 'str',
                                'default': [],
                            },
                            'terms_agreed': {
                                'type': 'bool',
                                'default': False,
                            },
                            'eab': {
                                'type': 'dict',
                                'options': {
                                    'kid': {
                                        'type': 'str',
                                        'required': True,
                                    },
                                    'hmac_key': {
                                        'type': 'str',
                                        'required': True,
                                        'no_log': True,
                                    },
                                    'algorithm': {
                                        'type': 'str',
                                        'default': 'HS256',
                                        'choices': ['HS256', 'HS384', 'HS512'],
                                    },
                                },
                            },
                            'profile': {
                                'type': 'str',
                            },
                            'preferred_chain': {
                                'type': 'str',
                            },
                            'challenge': {
                                'type': 'str',
                                'choices': ['http-01', 'dns-01', 'dns-account-01', 'dns-persist-01'],
                            },
                            'http': {
                                'type': 'dict',
                                'options': {
                                    'address': {
                                        'type': 'list',
                                        'elements': 'str',
                                        'default': ['127.0.0.1'],
                                    },
                                    'port': {
                                        'type': 'int',
                                        'default': 8888,
                                    },
                                    'public_port': {
                                        'type': 'int',
                                        'default': 80,
                                    },
                                    'self_check': {
                                        'type': 'str',
                                        'default': 'auto',
                                        'choices': ['auto', 'true', 'false'],
                                    },
                                    'timeout': {
                                        'type': 'str',
                                        'default': '60s',
                                    },
                                },
                            },
                            'target': {
                                'type': 'dict',
                                'options': {
                                    'zone': {
                                        'type': 'str',
                                    },
                                },
                            },
                            'provider': {
                                'type': 'dict',
                                'options': {
                                    'acme_dns': {
                                        'type': 'dict',
                                        'options': {
                                            'url': {
                                                'type': 'str',
                                                'required': True,
                                            },
                                            'accounts': {
                                                'type': 'list',
                                                'elements': 'dict',
                                                'options': {
                                                    'fulldomain': {
                                                        'type': 'str',
                                                        'required': True,
                                                    },
                                                    'subdomain': {
                                                        'type': 'str',
                                                    },
                                                    'username': {
                                                        'type': 'str',
                                                        'required': True,
                                                    },
                                                    'password': {
                                                        'type': 'str',
                                                        'required': True,
                                                        'no_log': True,
                                                    },
                                                },
                                            },
                                            'accounts_file': {
                                                'type': 'path',
                                            },
                                            'ca_file': {
                                                'type': 'path',
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '30s',
                                            },
                                        },
                                    },
                                    'cloudflare': {
                                        'type': 'dict',
                                        'options': {
                                            'token': {
                                                'type': 'str',
                                                'no_log': True,
                                            },
                                            'token_file': {
                                                'type': 'path',
                                                'no_log': False,
                                            },
                                            'zone_id': {
                                                'type': 'str',
                                            },
                                            'url': {
                                                'type': 'str',
                                                'default': 'https://api.cloudflare.com/client/v4',
                                            },
                                            'ca_file': {
                                                'type': 'path',
                                            },
                                            'ttl': {
                                                'type': 'int',
                                                'default': 60,
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '30s',
                                            },
                                        },
                                    },
                                    'designate': {
                                        'type': 'dict',
                                        'options': {
                                            'cloud': {
                                                'type': 'str',
                                            },
                                            'clouds_files': {
                                                'type': 'list',
                                                'elements': 'path',
                                                'default': ['~/.config/openstack/clouds.yaml', '/etc/openstack/clouds.yaml'],
                                                'aliases': ['clouds_file'],
                                            },
                                            'auth': {
                                                'type': 'dict',
                                                'options': {
                                                    'auth_url': {
                                                        'type': 'str',
                                                        'required': True,
                                                    },
                                                    'username': {
                                                        'type': 'str',
                                                    },
                                                    'user_id': {
                                                        'type': 'str',
                                                    },
                                                    'user_domain_name': {
                                                        'type': 'str',
                                                    },
                                                    'user_domain_id': {
                                                        'type': 'str',
                                                    },
                                                    'password': {
                                                        'type': 'str',
                                                        'no_log': True,
                                                    },
                                                    'password_file': {
                                                        'type': 'path',
                                                        'no_log': False,
                                                    },
                                                    'project_name': {
                                                        'type': 'str',
                                                    },
                                                    'project_id': {
                                                        'type': 'str',
                                                    },
                                                    'project_domain_name': {
                                                        'type': 'str',
                                                    },
                                                    'project_domain_id': {
                                                        'type': 'str',
                                                    },
                                                    'application_credential_id': {
                                                        'type': 'str',
                                                    },
                                                    'application_credential_name': {
                                                        'type': 'str',
                                                    },
                                                    'application_credential_secret': {
                                                        'type': 'str',
                                                        'no_log': True,
                                                    },
                                                    'application_credential_secret_file': {
                                                        'type': 'path',
                                                        'no_log': False,
                                                    },
                                                    'token': {
                                                        'type': 'str',
                                                        'no_log': True,
                                                    },
                                                    'token_file': {
                                                        'type': 'path',
                                                        'no_log': False,
                                                    },
                                                },
                                            },
                                            'auth_type': {
                                                'type': 'str',
                                                'choices': ['password', 'v3applicationcredential', 'token'],
                                            },
                                            'region_name': {
                                                'type': 'str',
                                            },
                                            'interface': {
                                                'type': 'str',
                                                'choices': ['public', 'internal', 'admin'],
                                            },
                                            'ca_file': {
                                                'type': 'path',
                                            },
                                            'ttl': {
                                                'type': 'int',
                                                'default': 60,
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '30s',
                                            },
                                        },
                                    },
                                    'hook': {
                                        'type': 'dict',
                                        'options': {
                                            'command': {
                                                'type': 'list',
                                                'elements': 'str',
                                                'required': True,
                                            },
                                            'ttl': {
                                                'type': 'int',
                                                'default': 60,
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '5m',
                                            },
                                        },
                                    },
                                    'powerdns': {
                                        'type': 'dict',
                                        'options': {
                                            'url': {
                                                'type': 'str',
                                                'required': True,
                                            },
                                            'api_key': {
                                                'type': 'str',
                                                'no_log': True,
                                            },
                                            'api_key_file': {
                                                'type': 'path',
                                                'no_log': False,
                                            },
                                            'server_id': {
                                                'type': 'str',
                                                'default': 'localhost',
                                            },
                                            'ca_file': {
                                                'type': 'path',
                                            },
                                            'ttl': {
                                                'type': 'int',
                                                'default': 1,
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '30s',
                                            },
                                        },
                                    },
                                    'rackspace': {
                                        'type': 'dict',
                                        'options': {
                                            'cloud': {
                                                'type': 'str',
                                            },
                                            'clouds_files': {
                                                'type': 'list',
                                                'elements': 'path',
                                                'default': ['~/.config/openstack/clouds.yaml', '/etc/openstack/clouds.yaml'],
                                                'aliases': ['clouds_file'],
                                            },
                                            'username': {
                                                'type': 'str',
                                            },
                                            'api_key': {
                                                'type': 'str',
                                                'no_log': True,
                                            },
                                            'api_key_file': {
                                                'type': 'path',
                                                'no_log': False,
                                            },
                                            'identity_url': {
                                                'type': 'str',
                                                'default': 'https://identity.api.rackspacecloud.com',
                                            },
                                            'url': {
                                                'type': 'str',
                                                'default': 'https://dns.api.rackspacecloud.com/v1.0',
                                            },
                                            'ca_file': {
                                                'type': 'path',
                                            },
                                            'ttl': {
                                                'type': 'int',
                                                'default': 300,
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '60s',
                                            },
                                        },
                                    },
                                    'rfc2136': {
                                        'type': 'dict',
                                        'options': {
                                            'server': {
                                                'type': 'str',
                                                'required': True,
                                            },
                                            'zone': {
                                                'type': 'str',
                                            },
                                            'key_name': {
                                                'type': 'str',
                                                'no_log': False,
                                            },
                                            'algorithm': {
                                                'type': 'str',
                                                'default': 'hmac-sha256',
                                            },
                                            'secret': {
                                                'type': 'str',
                                                'no_log': True,
                                            },
                                            'secret_file': {
                                                'type': 'path',
                                                'no_log': False,
                                            },
                                            'ttl': {
                                                'type': 'int',
                                                'default': 1,
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '10s',
                                            },
                                        },
                                    },
                                    'route53': {
                                        'type': 'dict',
                                        'options': {
                                            'access_key': {
                                                'type': 'str',
                                                'required': True,
                                                'no_log': False,
                                            },
                                            'secret_key': {
                                                'type': 'str',
                                                'no_log': True,
                                            },
                                            'secret_key_file': {
                                                'type': 'path',
                                                'no_log': False,
                                            },
                                            'session_token': {
                                                'type': 'str',
                                                'no_log': True,
                                            },
                                            'session_token_file': {
                                                'type': 'path',
                                                'no_log': False,
                                            },
                                            'hosted_zone_id': {
                                                'type': 'str',
                                            },
                                            'region': {
                                                'type': 'str',
                                                'default': 'us-east-1',
                                            },
                                            'url': {
                                                'type': 'str',
                                                'default': 'https://route53.amazonaws.com',
                                            },
                                            'ca_file': {
                                                'type': 'path',
                                            },
                                            'ttl': {
                                                'type': 'int',
                                                'default': 1,
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '30s',
                                            },
                                        },
                                    },
                                    'zone_file': {
                                        'type': 'dict',
                                        'options': {
                                            'path': {
                                                'type': 'path',
                                                'required': True,
                                            },
                                            'zone': {
                                                'type': 'str',
                                                'required': True,
                                            },
                                            'check': {
                                                'type': 'list',
                                                'elements': 'str',
                                            },
                                            'reload': {
                                                'type': 'list',
                                                'elements': 'str',
                                            },
                                            'keep': {
                                                'type': 'str',
                                                'default': '60m',
                                            },
                                            'ttl': {
                                                'type': 'int',
                                                'default': 1,
                                            },
                                            'timeout': {
                                                'type': 'str',
                                                'default': '60s',
                                            },
                                        },
                                    },
                                },
                            },
                            'propagation': {
                                'type': 'dict',
                                'options': {
                                    'resolvers': {
                                        'type': 'list',
                                        'elements': 'str',
                                        'default': [],
                                    },
                                    'nameservers': {
                                        'type': 'list',
                                        'elements': 'str',
                                        'default': [],
                                    },
                                    'timeout': {
                                        'type': 'str',
                                        'default': '2m',
                                    },
                                    'hold': {
                                        'type': 'bool',
                                        'default': True,
                                    },
                                },
                            },
                            'retry': {
                                'type': 'dict',
                                'options': {
                                    'max_wait': {
                                        'type': 'str',
                                        'default': '60s',
                                    },
                                    'nonces': {
                                        'type': 'int',
                                        'default': 12,
                                    },
                                    'http_timeout': {
                                        'type': 'str',
                                        'default': '30s',
                                    },
                                    'deadline': {
                                        'type': 'str',
                                        'default': '15m',
                                    },
                                },
                            },
                            'state_dir': {
                                'type': 'path',
                            },
                        },
                    },
                    'vault': {
                        'type': 'dict',
                        'options': {
                            'url': {
                                'type': 'list',
                                'elements': 'str',
                            },
                            'namespace': {
                                'type': 'str',
                            },
                            'ca_path': {
                                'type': 'path',
                            },
                            'ca_pem': {
                                'type': 'str',
                            },
                            'client_cert': {
                                'type': 'path',
                            },
                            'client_key': {
                                'type': 'path',
                                'no_log': False,
                            },
                            'tls_server_name': {
                                'type': 'str',
                            },
                            'validate_certs': {
                                'type': 'bool',
                                'default': True,
                            },
                            'auth': {
                                'type': 'dict',
                                'options': {
                                    'method': {
                                        'type': 'str',
                                        'default': 'token',
                                        'choices': ['token', 'approle', 'cert', 'jwt', 'kubernetes', 'userpass', 'none'],
                                    },
                                    'mount': {
                                        'type': 'str',
                                    },
                                    'role': {
                                        'type': 'str',
                                    },
                                    'token': {
                                        'type': 'str',
                                        'no_log': True,
                                    },
                                    'token_file': {
                                        'type': 'path',
                                        'no_log': False,
                                    },
                                    'role_id': {
                                        'type': 'str',
                                        'no_log': True,
                                    },
                                    'role_id_file': {
                                        'type': 'path',
                                    },
                                    'secret_id': {
                                        'type': 'str',
                                        'no_log': True,
                                    },
                                    'secret_id_file': {
                                        'type': 'path',
                                        'no_log': False,
                                    },
                                    'wrapped_secret_id': {
                                        'type': 'str',
                                        'no_log': True,
                                    },
                                    'wrapped_secret_id_file': {
                                        'type': 'path',
                                        'no_log': False,
                                    },
                                    'jwt': {
                                        'type': 'str',
                                        'no_log': True,
                                    },
                                    'jwt_file': {
                                        'type': 'path',
                                    },
                                    'username': {
                                        'type': 'str',
                                    },
                                    'password': {
                                        'type': 'str',
                                        'no_log': True,
                                    },
                                    'password_file': {
                                        'type': 'path',
                                        'no_log': False,
                                    },
                                    'revoke_after': {
                                        'type': 'bool',
                                        'default': True,
                                    },
                                },
                            },
                            'timeout': {
                                'type': 'str',
                                'default': '30s',
                            },
                            'retry_window': {
                                'type': 'str',
                                'default': '45s',
                            },
                            'wait_unsealed': {
                                'type': 'str',
                                'default': '0s',
                            },
                            'pin_active': {
                                'type': 'bool',
                                'default': True,
                            },
                            'allow_plaintext': {
                                'type': 'bool',
                                'default': False,
                            },
                            'mount': {
                                'type': 'str',
                                'default': 'pki',
                            },
                            'role': {
                                'type': 'str',
                                'required': True,
                            },
                            'issuer': {
                                'type': 'str',
                            },
                            'root': {
                                'type': 'path',
                            },
                            'revoke_old': {
                                'type': 'str',
                                'default': 'never',
                                'choices': ['never', 'after_install'],
                            },
                        },
                    },
                },
            },
            'files': {
                'type': 'list',
                'elements': 'dict',
                'options': {
                    'content': {
                        'type': 'str',
                        'required': True,
                        'choices': [
                            'private_key',
                            'certificate',
                            'chain',
                            'fullchain',
                            'ca_bundle',
                            'root',
                            'combined',
                            'pkcs12',
                            'jks',
                            'csr',
                        ],
                    },
                    'path': {
                        'type': 'path',
                        'required': True,
                    },
                    'owner': {
                        'type': 'str',
                    },
                    'group': {
                        'type': 'str',
                    },
                    'mode': {
                        'type': 'raw',
                    },
                    'context': {
                        'type': 'str',
                        'aliases': ['secontext'],
                    },
                    'setype': {
                        'type': 'str',
                    },
                    'backup': {
                        'type': 'bool',
                    },
                    'parts': {
                        'type': 'list',
                        'elements': 'str',
                        'choices': ['certificate', 'chain', 'root', 'private_key'],
                    },
                    'passphrase': {
                        'type': 'str',
                        'no_log': True,
                    },
                    'alias': {
                        'type': 'str',
                    },
                },
            },
            'containers': {
                'type': 'list',
                'elements': 'str',
            },
            'on_unreadable': {
                'type': 'str',
                'choices': ['fail', 'replace'],
            },
        },
    },
    'state': {
        'type': 'str',
        'default': 'present',
        'choices': ['present', 'absent'],
    },
    'parallel': {
        'type': 'int',
    },
    'state_dir': {
        'type': 'path',
        'default': '/var/lib/tls.everywhere',
    },
    'lock_timeout': {
        'type': 'str',
        'default': '60s',
    },
}

CONTAINER_RESTART = {
    'name': {
        'type': 'str',
    },
    'certificate': {
        'type': 'path',
        'required': True,
    },
    'private_key': {
        'type': 'path',
        'no_log': False,
    },
    'replaces': {
        'type': 'list',
        'elements': 'str',
        'default': [],
    },
    'containers': {
        'type': 'list',
        'elements': 'raw',
        'default': [],
    },
    'labels': {
        'type': 'dict',
    },
    'engine': {
        'type': 'str',
        'default': 'auto',
        'choices': ['auto', 'docker', 'podman'],
    },
    'socket': {
        'type': 'path',
    },
    'user': {
        'type': 'str',
    },
    'engine_timeout': {
        'type': 'int',
        'default': 30,
    },
    'action': {
        'type': 'str',
        'default': 'auto',
        'choices': ['auto', 'none', 'signal', 'exec', 'reload', 'restart'],
    },
    'signal': {
        'type': 'str',
        'default': 'HUP',
    },
    'command': {
        'type': 'list',
        'elements': 'str',
    },
    'command_user': {
        'type': 'str',
    },
    'manager': {
        'type': 'str',
        'default': 'auto',
        'choices': ['auto', 'engine', 'systemd', 'pacemaker'],
    },
    'sync': {
        'type': 'bool',
        'default': True,
    },
    'escalate': {
        'type': 'bool',
        'default': True,
    },
    'only_if': {
        'type': 'str',
        'default': 'stale',
        'choices': ['stale', 'newer', 'always'],
    },
    'verify': {
        'type': 'raw',
        'default': 'auto',
    },
    'verify_timeout': {
        'type': 'int',
        'default': 30,
    },
    'verify_consecutive': {
        'type': 'int',
        'default': 3,
    },
    'stop_timeout': {
        'type': 'int',
    },
    'wait_healthy': {
        'type': 'bool',
        'default': True,
    },
    'stable_for': {
        'type': 'int',
        'default': 5,
    },
    'serial': {
        'type': 'int',
        'default': 1,
    },
    'max_failures': {
        'type': 'int',
        'default': 0,
    },
    'restart_dependents': {
        'type': 'bool',
        'default': True,
    },
    'lock': {
        'type': 'str',
        'default': 'none',
        'choices': ['none', 'pacemaker'],
    },
    'lock_name': {
        'type': 'str',
        'default': 'tls-everywhere-restart',
    },
    'lock_ttl': {
        'type': 'int',
        'default': 600,
    },
    'lock_timeout': {
        'type': 'int',
        'default': 900,
    },
    'missing': {
        'type': 'str',
        'default': 'fail',
        'choices': ['fail', 'skip', 'warn'],
    },
    'not_running': {
        'type': 'str',
        'default': 'skip',
        'choices': ['fail', 'skip', 'warn'],
    },
    'unproven': {
        'type': 'str',
        'default': 'warn',
        'choices': ['fail', 'skip', 'warn'],
    },
    'validate_command': {
        'type': 'list',
        'elements': 'str',
    },
    'state_dir': {
        'type': 'path',
        'default': '/run/tls-everywhere',
    },
}

FILE_SET = {
    'sets': {
        'type': 'list',
        'elements': 'dict',
        'default': [],
        'options': {
            'name': {
                'type': 'str',
                'required': True,
            },
            'files': {
                'type': 'list',
                'elements': 'dict',
                'required': True,
                'options': {
                    'path': {
                        'type': 'path',
                        'required': True,
                    },
                    'state': {
                        'type': 'str',
                        'default': 'present',
                        'choices': ['present', 'absent', 'retired'],
                    },
                    'content': {
                        'type': 'str',
                        'no_log': True,
                    },
                    'content_base64': {
                        'type': 'str',
                        'no_log': True,
                    },
                    'holds_private_key': {
                        'type': 'bool',
                        'no_log': False,
                    },
                    'owner': {
                        'type': 'str',
                    },
                    'group': {
                        'type': 'str',
                    },
                    'mode': {
                        'type': 'raw',
                    },
                    'context': {
                        'type': 'str',
                        'aliases': ['secontext'],
                    },
                    'setype': {
                        'type': 'str',
                    },
                    'backup': {
                        'type': 'bool',
                        'default': False,
                    },
                },
            },
        },
    },
    'directories': {
        'type': 'list',
        'elements': 'path',
        'default': [],
    },
    'make_directories': {
        'type': 'bool',
        'default': False,
    },
    'directory_mode': {
        'type': 'raw',
        'default': '0755',
    },
    'read': {
        'type': 'list',
        'elements': 'path',
        'default': [],
    },
    'read_matching': {
        'type': 'list',
        'elements': 'str',
        'default': [],
    },
    'exist': {
        'type': 'list',
        'elements': 'path',
        'default': [],
    },
    'parallel': {
        'type': 'int',
    },
    'lock_timeout': {
        'type': 'str',
        'default': '60s',
    },
}

PKI_CA = {
    'backend': {
        'type': 'dict',
        'required': True,
        'options': {
            'files': {
                'type': 'dict',
                'options': {
                    'directory': {
                        'type': 'path',
                        'required': True,
                    },
                    'owner': {
                        'type': 'str',
                    },
                    'group': {
                        'type': 'str',
                    },
                    'key_mode': {
                        'type': 'raw',
                        'default': '0600',
                        'no_log': False,
                    },
                    'key_directory_mode': {
                        'type': 'raw',
                        'default': '0700',
                        'no_log': False,
                    },
                    'certificate_mode': {
                        'type': 'raw',
                        'default': '0644',
                    },
                    'directory_mode': {
                        'type': 'raw',
                        'default': '0755',
                    },
                },
            },
            'vault': {
                'type': 'dict',
                'options': {
                    'url': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'namespace': {
                        'type': 'str',
                    },
                    'ca_path': {
                        'type': 'path',
                    },
                    'ca_pem': {
                        'type': 'str',
                    },
                    'client_cert': {
                        'type': 'path',
                    },
                    'client_key': {
                        'type': 'path',
                        'no_log': False,
                    },
                    'tls_server_name': {
                        'type': 'str',
                    },
                    'validate_certs': {
                        'type': 'bool',
                        'default': True,
                    },
                    'auth': {
                        'type': 'dict',
                        'options': {
                            'method': {
                                'type': 'str',
                                'default': 'token',
                                'choices': ['token', 'approle', 'cert', 'jwt', 'kubernetes', 'userpass', 'none'],
                            },
                            'mount': {
                                'type': 'str',
                            },
                            'role': {
                                'type': 'str',
                            },
                            'token': {
                                'type': 'str',
                                'no_log': True,
                            },
                            'token_file': {
                                'type': 'path',
                                'no_log': False,
                            },
                            'role_id': {
                                'type': 'str',
                                'no_log': True,
                            },
                            'role_id_file': {
                                'type': 'path',
                            },
                            'secret_id': {
                                'type': 'str',
                                'no_log': True,
                            },
                            'secret_id_file': {
                                'type': 'path',
                                'no_log': False,
                            },
                            'wrapped_secret_id': {
                                'type': 'str',
                                'no_log': True,
                            },
                            'wrapped_secret_id_file': {
                                'type': 'path',
                                'no_log': False,
                            },
                            'jwt': {
                                'type': 'str',
                                'no_log': True,
                            },
                            'jwt_file': {
                                'type': 'path',
                            },
                            'username': {
                                'type': 'str',
                            },
                            'password': {
                                'type': 'str',
                                'no_log': True,
                            },
                            'password_file': {
                                'type': 'path',
                                'no_log': False,
                            },
                            'revoke_after': {
                                'type': 'bool',
                                'default': True,
                            },
                        },
                    },
                    'timeout': {
                        'type': 'str',
                        'default': '30s',
                    },
                    'retry_window': {
                        'type': 'str',
                        'default': '45s',
                    },
                    'wait_unsealed': {
                        'type': 'str',
                        'default': '0s',
                    },
                    'pin_active': {
                        'type': 'bool',
                        'default': True,
                    },
                    'allow_plaintext': {
                        'type': 'bool',
                        'default': False,
                    },
                    'mount': {
                        'type': 'str',
                        'default': 'pki',
                    },
                },
            },
        },
    },
    'authorities': {
        'type': 'list',
        'elements': 'dict',
        'default': [],
        'options': {
            'name': {
                'type': 'str',
                'required': True,
            },
            'type': {
                'type': 'str',
                'default': 'root',
                'choices': ['root', 'intermediate'],
            },
            'parent': {
                'type': 'str',
            },
            'state': {
                'type': 'str',
                'default': 'present',
                'choices': [
                    'present',
                    'csr',
                    'signed',
                    'cross_signed',
                    'active',
                    'retired',
                    'revoked',
                    'absent',
                ],
            },
            'common_name': {
                'type': 'str',
            },
            'subject': {
                'type': 'dict',
            },
            'key': {
                'type': 'dict',
                'no_log': False,
                'options': {
                    'algorithm': {
                        'type': 'str',
                        'choices': ['rsa', 'ecdsa', 'ed25519', 'ed448'],
                    },
                    'size': {
                        'type': 'int',
                    },
                    'curve': {
                        'type': 'str',
                    },
                    'passphrase': {
                        'type': 'str',
                        'no_log': True,
                    },
                },
            },
            'ttl': {
                'type': 'str',
            },
            'warn_before': {
                'type': 'str',
                'default': '30d',
            },
            'path_length': {
                'type': 'int',
            },
            'name_constraints': {
                'type': 'dict',
                'options': {
                    'permitted_dns': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'permitted_ip': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'permitted_email': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'excluded_dns': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'excluded_ip': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'excluded_email': {
                        'type': 'list',
                        'elements': 'str',
                    },
                },
            },
            'key_usage': {
                'type': 'list',
                'elements': 'str',
                'no_log': False,
            },
            'crl_urls': {
                'type': 'list',
                'elements': 'str',
            },
            'issuer_urls': {
                'type': 'list',
                'elements': 'str',
            },
            'policies': {
                'type': 'list',
                'elements': 'str',
            },
            'signed': {
                'type': 'str',
            },
            'reason': {
                'type': 'str',
                'default': 'unspecified',
                'choices': [
                    'unspecified',
                    'keyCompromise',
                    'cACompromise',
                    'affiliationChanged',
                    'superseded',
                    'cessationOfOperation',
                    'privilegeWithdrawn',
                ],
            },
            'force': {
                'type': 'bool',
                'default': False,
            },
            'key_name': {
                'type': 'str',
                'no_log': False,
            },
            'parent_mount': {
                'type': 'str',
            },
            'chain_issuers': {
                'type': 'list',
                'elements': 'str',
            },
            'leaf_not_after_behavior': {
                'type': 'str',
                'choices': ['err', 'truncate', 'permit'],
            },
            'csr_path': {
                'type': 'path',
            },
            'root_ca': {
                'type': 'str',
            },
            'validate': {
                'type': 'dict',
                'options': {
                    'min_remaining': {
                        'type': 'str',
                        'default': '30d',
                    },
                    'max_depth': {
                        'type': 'int',
                    },
                    'allow_unrelated': {
                        'type': 'bool',
                        'default': False,
                    },
                    'required_eku': {
                        'type': 'list',
                        'elements': 'str',
                        'default': ['server', 'client'],
                    },
                    'require_root': {
                        'type': 'bool',
                        'default': True,
                    },
                },
            },
            'confirm': {
                'type': 'str',
            },
        },
    },
    'regenerate': {
        'type': 'raw',
    },
    'regenerate_key': {
        'type': 'raw',
        'no_log': False,
    },
    'sign': {
        'type': 'list',
        'elements': 'dict',
        'default': [],
        'options': {
            'name': {
                'type': 'str',
            },
            'authority': {
                'type': 'str',
            },
            'csr': {
                'type': 'str',
                'required': True,
            },
            'profile': {
                'type': 'str',
                'default': 'server',
                'choices': ['server', 'client', 'peer', 'ca', 'request'],
            },
            'key_usage': {
                'type': 'list',
                'elements': 'str',
                'no_log': False,
            },
            'extended_key_usage': {
                'type': 'list',
                'elements': 'str',
                'no_log': False,
            },
            'ttl': {
                'type': 'str',
            },
            'renew_before': {
                'type': 'str',
                'default': '30d',
            },
            'path_length': {
                'type': 'int',
            },
        },
    },
    'revoke': {
        'type': 'list',
        'elements': 'dict',
        'default': [],
        'options': {
            'authority': {
                'type': 'str',
                'required': True,
            },
            'serial': {
                'type': 'str',
            },
            'certificate': {
                'type': 'str',
            },
            'reason': {
                'type': 'str',
                'default': 'unspecified',
                'choices': [
                    'unspecified',
                    'keyCompromise',
                    'cACompromise',
                    'affiliationChanged',
                    'superseded',
                    'cessationOfOperation',
                    'privilegeWithdrawn',
                ],
            },
            'at': {
                'type': 'str',
            },
        },
    },
    'crl': {
        'type': 'dict',
        'options': {
            'authorities': {
                'type': 'raw',
                'default': 'all',
            },
            'next_update': {
                'type': 'str',
                'default': '30d',
            },
            'renew_before': {
                'type': 'str',
                'default': '33%',
            },
        },
    },
    'vault_config': {
        'type': 'dict',
        'options': {
            'mount': {
                'type': 'dict',
                'options': {
                    'create': {
                        'type': 'bool',
                        'default': True,
                    },
                    'description': {
                        'type': 'str',
                    },
                    'default_lease_ttl': {
                        'type': 'str',
                    },
                    'max_lease_ttl': {
                        'type': 'str',
                    },
                    'allowed_response_headers': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'passthrough_request_headers': {
                        'type': 'list',
                        'elements': 'str',
                        'no_log': False,
                    },
                    'audit_non_hmac_request_keys': {
                        'type': 'list',
                        'elements': 'str',
                        'no_log': False,
                    },
                    'audit_non_hmac_response_keys': {
                        'type': 'list',
                        'elements': 'str',
                        'no_log': False,
                    },
                },
            },
            'cluster': {
                'type': 'dict',
                'options': {
                    'path': {
                        'type': 'str',
                    },
                    'aia_path': {
                        'type': 'str',
                    },
                },
            },
            'urls': {
                'type': 'dict',
                'options': {
                    'issuing_certificates': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'crl_distribution_points': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'delta_crl_distribution_points': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'ocsp_servers': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'enable_templating': {
                        'type': 'bool',
                    },
                },
            },
            'crl': {
                'type': 'dict',
                'options': {
                    'expiry': {
                        'type': 'str',
                    },
                    'disable': {
                        'type': 'bool',
                    },
                    'ocsp_disable': {
                        'type': 'bool',
                    },
                    'ocsp_expiry': {
                        'type': 'str',
                    },
                    'auto_rebuild': {
                        'type': 'bool',
                    },
                    'auto_rebuild_grace_period': {
                        'type': 'str',
                    },
                    'enable_delta': {
                        'type': 'bool',
                    },
                    'delta_rebuild_interval': {
                        'type': 'str',
                    },
                    'allow_expired_cert_revocation': {
                        'type': 'bool',
                    },
                },
            },
            'auto_tidy': {
                'type': 'dict',
                'options': {
                    'enabled': {
                        'type': 'bool',
                    },
                    'interval_duration': {
                        'type': 'str',
                    },
                    'maintain_stored_certificate_counts': {
                        'type': 'bool',
                    },
                    'publish_stored_certificate_count_metrics': {
                        'type': 'bool',
                    },
                    'tidy_cert_store': {
                        'type': 'bool',
                    },
                    'tidy_revoked_certs': {
                        'type': 'bool',
                    },
                    'tidy_revoked_cert_issuer_associations': {
                        'type': 'bool',
                    },
                    'tidy_invalid_certs': {
                        'type': 'bool',
                    },
                    'tidy_expired_issuers': {
                        'type': 'bool',
                    },
                    'tidy_move_legacy_ca_bundle': {
                        'type': 'bool',
                    },
                    'tidy_acme': {
                        'type': 'bool',
                    },
                    'safety_buffer': {
                        'type': 'str',
                    },
                    'revoked_safety_buffer': {
                        'type': 'str',
                    },
                    'issuer_safety_buffer': {
                        'type': 'str',
                    },
                    'acme_account_safety_buffer': {
                        'type': 'str',
                    },
                    'pause_duration': {
                        'type': 'str',
                    },
                    'page_size': {
                        'type': 'int',
                    },
                },
            },
            'roles': {
                'type': 'list',
                'elements': 'dict',
                'default': [],
                'options': {
                    'name': {
                        'type': 'str',
                        'required': True,
                    },
                    'state': {
                        'type': 'str',
                        'default': 'present',
                        'choices': ['present', 'absent'],
                    },
                    'issuer_ref': {
                        'type': 'str',
                    },
                    'ttl': {
                        'type': 'str',
                    },
                    'max_ttl': {
                        'type': 'str',
                    },
                    'not_before_duration': {
                        'type': 'str',
                    },
                    'not_before': {
                        'type': 'str',
                    },
                    'not_before_bound': {
                        'type': 'str',
                    },
                    'not_after': {
                        'type': 'str',
                    },
                    'not_after_bound': {
                        'type': 'str',
                    },
                    'allow_any_name': {
                        'type': 'bool',
                    },
                    'allow_localhost': {
                        'type': 'bool',
                    },
                    'allowed_domains': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'allowed_domains_template': {
                        'type': 'bool',
                    },
                    'allow_bare_domains': {
                        'type': 'bool',
                    },
                    'allow_subdomains': {
                        'type': 'bool',
                    },
                    'allow_glob_domains': {
                        'type': 'bool',
                    },
                    'allow_globs_in_identity_templates': {
                        'type': 'bool',
                    },
                    'allow_wildcard_certificates': {
                        'type': 'bool',
                    },
                    'enforce_hostnames': {
                        'type': 'bool',
                    },
                    'allow_ip_sans': {
                        'type': 'bool',
                    },
                    'allowed_ip_sans_cidr': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'allowed_uri_sans': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'allowed_uri_sans_template': {
                        'type': 'bool',
                    },
                    'allowed_other_sans': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'allowed_serial_numbers': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'allowed_user_ids': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'cn_validations': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'require_cn': {
                        'type': 'bool',
                    },
                    'use_csr_common_name': {
                        'type': 'bool',
                    },
                    'use_csr_sans': {
                        'type': 'bool',
                    },
                    'server_flag': {
                        'type': 'bool',
                    },
                    'client_flag': {
                        'type': 'bool',
                    },
                    'code_signing_flag': {
                        'type': 'bool',
                    },
                    'email_protection_flag': {
                        'type': 'bool',
                    },
                    'key_usage': {
                        'type': 'list',
                        'elements': 'str',
                        'no_log': False,
                    },
                    'ext_key_usage': {
                        'type': 'list',
                        'elements': 'str',
                        'no_log': False,
                    },
                    'ext_key_usage_oids': {
                        'type': 'list',
                        'elements': 'str',
                        'no_log': False,
                    },
                    'policy_identifiers': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'basic_constraints_valid_for_non_ca': {
                        'type': 'bool',
                    },
                    'key_type': {
                        'type': 'str',
                        'choices': ['rsa', 'ec', 'ed25519', 'mldsa', 'any'],
                        'no_log': False,
                    },
                    'key_bits': {
                        'type': 'int',
                        'no_log': False,
                    },
                    'signature_bits': {
                        'type': 'int',
                    },
                    'use_pss': {
                        'type': 'bool',
                    },
                    'organization': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'ou': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'country': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'province': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'locality': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'street_address': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'postal_code': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'generate_lease': {
                        'type': 'bool',
                    },
                    'no_store': {
                        'type': 'bool',
                    },
                    'serial_number_source': {
                        'type': 'str',
                        'choices': ['json-csr', 'json'],
                    },
                },
            },
            'acme': {
                'type': 'dict',
                'options': {
                    'enabled': {
                        'type': 'bool',
                    },
                    'default_directory_policy': {
                        'type': 'str',
                    },
                    'allowed_roles': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'allowed_issuers': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'allow_role_ext_key_usage': {
                        'type': 'bool',
                        'no_log': False,
                    },
                    'eab_policy': {
                        'type': 'str',
                        'choices': ['not-required', 'new-account-required', 'always-required'],
                    },
                    'dns_resolver': {
                        'type': 'str',
                    },
                },
            },
            'access': {
                'type': 'list',
                'elements': 'dict',
                'default': [],
                'options': {
                    'name': {
                        'type': 'str',
                        'required': True,
                    },
                    'state': {
                        'type': 'str',
                        'default': 'present',
                        'choices': ['present', 'absent'],
                    },
                    'policy': {
                        'type': 'str',
                    },
                    'sign': {
                        'type': 'list',
                        'elements': 'str',
                    },
                    'approle': {
                        'type': 'dict',
                        'options': {
                            'name': {
                                'type': 'str',
                            },
                            'mount': {
                                'type': 'str',
                                'default': 'approle',
                            },
                            'secret_ids': {
                                'type': 'list',
                                'elements': 'dict',
                                'default': [],
                                'no_log': False,
                                'options': {
                                    'name': {
                                        'type': 'str',
                                        'required': True,
                                    },
                                    'path': {
                                        'type': 'path',
                                        'required': True,
                                    },
                                    'issue': {
                                        'type': 'str',
                                        'default': 'missing',
                                        'choices': ['missing', 'spent', 'always'],
                                    },
                                    'wrap_ttl': {
                                        'type': 'str',
                                        'default': '10m',
                                    },
                                    'owner': {
                                        'type': 'str',
                                    },
                                    'group': {
                                        'type': 'str',
                                    },
                                    'cidr_list': {
                                        'type': 'list',
                                        'elements': 'str',
                                    },
                                    'token_bound_cidrs': {
                                        'type': 'list',
                                        'elements': 'str',
                                        'no_log': False,
                                    },
                                    'num_uses': {
                                        'type': 'int',
                                    },
                                    'ttl': {
                                        'type': 'str',
                                    },
                                    'metadata': {
                                        'type': 'dict',
                                    },
                                },
                            },
                            'bind_secret_id': {
                                'type': 'bool',
                                'no_log': False,
                            },
                            'secret_id_bound_cidrs': {
                                'type': 'list',
                                'elements': 'str',
                                'no_log': False,
                            },
                            'secret_id_num_uses': {
                                'type': 'int',
                                'no_log': False,
                            },
                            'secret_id_ttl': {
                                'type': 'str',
                                'no_log': False,
                            },
                            'token_bound_cidrs': {
                                'type': 'list',
                                'elements': 'str',
                                'no_log': False,
                            },
                            'token_ttl': {
                                'type': 'str',
                                'no_log': False,
                            },
                            'token_max_ttl': {
                                'type': 'str',
                                'no_log': False,
                            },
                            'token_explicit_max_ttl': {
                                'type': 'str',
                                'no_log': False,
                            },
                            'token_period': {
                                'type': 'str',
                                'no_log': False,
                            },
                            'token_num_uses': {
                                'type': 'int',
                                'no_log': False,
                            },
                            'token_policies': {
                                'type': 'list',
                                'elements': 'str',
                                'no_log': False,
                            },
                            'token_no_default_policy': {
                                'type': 'bool',
                                'no_log': False,
                            },
                            'token_strictly_bind_ip': {
                                'type': 'bool',
                                'no_log': False,
                            },
                            'token_type': {
                                'type': 'str',
                                'choices': ['default', 'service', 'batch', 'default-service', 'default-batch'],
                                'no_log': False,
                            },
                        },
                    },
                },
            },
            'tidy': {
                'type': 'dict',
                'options': {
                    'every': {
                        'type': 'str',
                    },
                    'wait': {
                        'type': 'str',
                        'default': '60s',
                    },
                    'tidy_cert_store': {
                        'type': 'bool',
                    },
                    'tidy_revoked_certs': {
                        'type': 'bool',
                    },
                    'tidy_revoked_cert_issuer_associations': {
                        'type': 'bool',
                    },
                    'tidy_invalid_certs': {
                        'type': 'bool',
                    },
                    'tidy_expired_issuers': {
                        'type': 'bool',
                    },
                    'tidy_move_legacy_ca_bundle': {
                        'type': 'bool',
                    },
                    'tidy_acme': {
                        'type': 'bool',
                    },
                    'safety_buffer': {
                        'type': 'str',
                    },
                    'revoked_safety_buffer': {
                        'type': 'str',
                    },
                    'issuer_safety_buffer': {
                        'type': 'str',
                    },
                    'acme_account_safety_buffer': {
                        'type': 'str',
                    },
                    'pause_duration': {
                        'type': 'str',
                    },
                    'page_size': {
                        'type': 'int',
                    },
                },
            },
            'disable': {
                'type': 'dict',
                'options': {
                    'confirm': {
                        'type': 'str',
                        'required': True,
                    },
                    'export': {
                        'type': 'path',
                        'required': True,
                    },
                },
            },
        },
    },
    'inspect': {
        'type': 'bool',
        'default': False,
    },
    'lock_timeout': {
        'type': 'str',
        'default': '60s',
    },
    'parallel': {
        'type': 'int',
    },
}

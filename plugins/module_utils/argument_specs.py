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
    'lock_timeout': {
        'type': 'str',
        'default': '60s',
    },
    'parallel': {
        'type': 'int',
    },
}

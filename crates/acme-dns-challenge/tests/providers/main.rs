// SPDX-License-Identifier: Apache-2.0
//! Each way to publish through the module, from its options to a certificate of a real Pebble that looks at real name
//! servers. PowerDNS is a real one. Services that cannot be had are stand-ins, and the tests' names say so; behind them is a
//! real BIND, so that what they were told is what Pebble sees.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test that starts programs"
)]

mod acme_dns;
mod cloudflare;
mod lab;
mod openstack;
mod powerdns;
mod rackspace;
mod route53;
mod trust;

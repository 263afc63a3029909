// SPDX-License-Identifier: Apache-2.0
//! Punycode (RFC 3492), for labels outside ASCII.

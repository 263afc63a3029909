# SPDX-License-Identifier: Apache-2.0
mkdir -m 0700 old

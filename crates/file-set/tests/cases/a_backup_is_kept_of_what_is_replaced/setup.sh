# SPDX-License-Identifier: Apache-2.0
echo old > web.pem

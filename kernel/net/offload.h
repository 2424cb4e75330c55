/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What travels with a packet whose checksum or segments somebody else makes: struct virtio_net_hdr, of network cards and of packet
 * sockets (PACKET_VNET_HDR). The packet's data is its Ethernet header.
 */
#pragma once

#include <net/packet_buffer.h>

#include <linux/virtio_net.h>

/*
 * Takes over what the header says: a checksum to be completed, segments of TCP to be cut. It comes from a stranger: places in the
 * packet are believed only if they are there, in the linear part, because segmentation and checksums write to them. False: impossible.
 */
[[nodiscard]] bool offload_take(struct packet *packet, const struct virtio_net_hdr *header);
/* Says of a packet what is left to be done; not whether what is done was verified. */
void offload_describe(const struct packet *packet, struct virtio_net_hdr *out);

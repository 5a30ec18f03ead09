/* What vmm-states and its guests agree on. */
#ifndef VMM_BOARD_H
#define VMM_BOARD_H

#define BOARD_RAM_BASE 0x80000000UL
#define BOARD_RAM_SIZE 0x200000UL
#define BOARD_FINDINGS (BOARD_RAM_BASE + 0x1000UL) /* 64-bit words */
#define BOARD_FINDINGS_MAX 8U

#define BOARD_LINE 5U
#define BOARD_RINGS 3U

#define BOARD_DEVICE 0x10000000UL
#define BOARD_DEVICE_SIZE 0x100UL
#define BOARD_READY 0x11000000UL /* the guest waits for an interrupt */
#define BOARD_EVENT 0x12000000UL

#define BOARD_VIRTIO 0x13000000UL
#define BOARD_WINDOW_BASE 0xA0000000UL
#define BOARD_WINDOW_SIZE 0x4000UL
#define BOARD_WINDOW_LABEL 0x33U

#endif

/* The guest's board, as the manager builds it: what both programs must agree on and the device tree does not say. */
#ifndef COMMON_BOARD_H
#define COMMON_BOARD_H

#define BOARD_RAM_BASE 0x80000000UL

/* A PL011 serial port that the manager emulates; its interrupt is 32 + this line. */
#define BOARD_SERIAL_BASE 0x09000000UL
#define BOARD_SERIAL_LINE 1U

/* A button that the manager presses; its interrupt is 32 + this line. */
#define BOARD_BUTTON_LINE 8U

/* A register that only signals: each 32-bit store is counted by the manager, no device sees it. */
#define BOARD_KICK 0x0A000000UL

/* A virtio console that the manager emulates; its interrupt is 32 + this line. Its queues are in the window. */
#define BOARD_VIRTIO_BASE 0x0A010000UL
#define BOARD_VIRTIO_LINE 16U

/* Memory that both VMs see; what a virtio device needs if it cannot see the driver's own memory. */
#define BOARD_WINDOW_BASE 0xA0000000UL
#define BOARD_WINDOW_SIZE 0x10000UL
#define BOARD_WINDOW_LABEL 0x15U

/* What the guest says when it waits for a command. */
#define BOARD_PROMPT "> "

/* What the guest leaves in its last page; the manager finds it there when the memory is its own again. */
#define BOARD_MARK 0x5741532d54534547UL

#endif

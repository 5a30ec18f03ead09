/* Labels of the phone's vdevices, for trees of all VMs. */
#define LABEL_RM		0x1
#define LABEL_QRTR		0x3
#define LABEL_MEMBUF		0x1
#define LABEL_TEST		0x4
#define LABEL_PANIC		0x9
#define LABEL_DISPLAY		0x11
#define LABEL_SWIOTLB		0x12
#define LABEL_BLOCK		0x13
#define QUEUE_SIZES(size, depth) \
	message-size = <size>; \
	queue-depth = <depth>

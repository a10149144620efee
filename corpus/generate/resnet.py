"""ResNet-152, for measuring: python resnet.py OUT.model [WIDTH [CLASSES]]; 242 MB at its width of 64. Needs CNTK."""
import sys
import cntk as C
from cntk.layers import Convolution2D, BatchNormalization, GlobalAveragePooling, MaxPooling, Dense

def conv_bn(x, size, count, strides=1):
    x = Convolution2D((size, size), count, strides=strides, pad=True, bias=False)(x)
    return BatchNormalization(map_rank=1)(x)

def bottleneck(x, count, strides, project):
    inner = C.relu(conv_bn(x, 1, count, strides))
    inner = C.relu(conv_bn(inner, 3, count))
    inner = conv_bn(inner, 1, 4 * count)
    around = conv_bn(x, 1, 4 * count, strides) if project else x
    return C.relu(inner + around)

def resnet(depths, width, classes):
    x = C.input_variable((3, 224, 224), name="features")
    z = C.relu(conv_bn(x, 7, width, 2))
    z = MaxPooling((3, 3), strides=2, pad=True)(z)
    for stage, depth in enumerate(depths):
        for i in range(depth):
            z = bottleneck(z, width * 2 ** stage, 2 if i == 0 and stage > 0 else 1, i == 0)
    return Dense(classes, name="z")(GlobalAveragePooling()(z))

if __name__ == "__main__":
    width, classes = (list(map(int, sys.argv[2:])) + [64, 1000][len(sys.argv) - 2:])
    resnet([3, 8, 36, 3], width, classes).save(sys.argv[1])

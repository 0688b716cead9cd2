"""prototype"""
import numpy as np
from analysis import STANDARD_LUMA_SUM
LUMA = np.array([
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62, 18, 22,
  37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99]).reshape(8,8)
def table(q):
    s = 5000//q if q<50 else 200-2*q
    return np.clip((LUMA*s+50)//100,1,255)
k=np.arange(8)
DCT=np.cos((2*k[None]+1)*k[:,None]*np.pi/16)*np.where(k[:,None]==0,np.sqrt(1/8),.5)
# DC and the lowest AC frequencies
PLACES=[(0,0),(0,1),(1,0),(1,1),(0,2),(2,0),(1,2),(2,1),(0,3),(3,0)]
QUALITIES=np.array(list(range(3,96)))
def blocks(luma,dy,dx,most=4096):
    h,w=(luma.shape[0]-dy)//8,(luma.shape[1]-dx)//8
    b=luma[dy:dy+8*h,dx:dx+8*w].astype(np.float64).reshape(h,8,w,8).transpose(0,2,1,3).reshape(-1,8,8)
    step=max(1,len(b)//most)
    b=b[::step]
    # clipped or flat blocks say nothing
    ok=(b.min((1,2))>0)&(b.max((1,2))<255)
    b=b[ok]
    return DCT@(b-128)@DCT.T
def scores(luma,dy,dx):
    c=blocks(luma,dy,dx)
    T=np.stack([table(q) for q in QUALITIES])
    num=np.zeros(len(QUALITIES)); n=np.zeros(len(QUALITIES))
    for y,x in PLACES:
        v=np.abs(c[:,y,x]) if (y or x) else c[:,0,0]
        for i,s in enumerate(T[:,y,x]):
            u=v if (y,x)==(0,0) else v[v>s/2]
            num[i]+=np.cos(2*np.pi*u/s).sum(); n[i]+=len(u)
    return num/np.maximum(n,1), num/np.sqrt(np.maximum(n,1)/2), n
